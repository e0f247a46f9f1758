import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { Greeting } from "#proto";
import type { Config } from "../base/config.ts";
import type { Admission } from "../call/admission.ts";
import type { Call } from "../call/call.ts";
import type { HttpAnswer, HttpMessage } from "../http/client.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Tracing } from "../telemetry/tracing.ts";

export type CallProtocol = "http" | "grpc";

/** A declared edge of the graph: whom a function calls, and how. */
export interface Callee {
  readonly name: string;
  readonly protocol: CallProtocol;
}

/** Calls `name` over HTTP/JSON. */
export function http(name: string): Callee {
  return { name, protocol: "http" };
}

/** Calls `name` over gRPC. */
export function grpc(name: string): Callee {
  return { name, protocol: "grpc" };
}

/** A declared edge to a database's collection ("database.collection") or a broker's queue. */
export interface Destination {
  readonly system: "mongodb" | "rabbitmq";
  readonly destination: string;
}

/** Something to do with each greeting or message. Declaring it opens nothing; its host opens it. */
export interface Effect<Entry> extends Destination {
  open(runtime: Runtime): Promise<OpenEffect<Entry>>;
}

export interface OpenEffect<Entry> extends Resource {
  /** Settles when the entry is safe where it belongs; rejects with a HostError otherwise. */
  apply(entry: Entry, call: Call): Promise<void>;
}

/** A client of an outside server, which reconnects by itself until it is closed. */
export interface Resource {
  /** The server's name as a person knows it, and the key in /readyz. */
  readonly name: string;
  /** Why it cannot be used right now, or undefined when it can. */
  problem(): string | undefined;
  close(): Promise<void>;
}

/**
 * One function, as data: the host, the local run, the graph and the tests all read it.
 * Making one registers its handler with functions-framework and opens nothing.
 */
export interface Definition {
  readonly kind: "greeter" | "subscriber" | "gateway" | "bridge" | "ui";
  readonly name: string;
  readonly greeting?: string;
  /** In answer order. */
  readonly calls: readonly Callee[];
  readonly effects: readonly Destination[];
  /** The queue that it consumes. */
  readonly consumes?: string;
  /** Every function that a request's faults can name; only a gateway knows them all. */
  readonly faultTargets?: readonly string[];
  open(runtime: Runtime): Promise<OpenFunction>;
}

/** What a host gives to the function that it runs. */
export interface Runtime {
  readonly name: string;
  readonly config: Config;
  readonly log: Logger;
  readonly tracing: Tracing;
  /** Undefined where METRICS is off. */
  readonly metrics: Metrics | undefined;
  /** Which of the headers that travel along are heeded here. */
  readonly admission: Admission;
  /** The callee's greetings, by the protocol of the edge or the one that is wished for instead. */
  greetingsOf(callee: Callee, call: Call): Promise<Greeting[]>;
  /** Any HTTP request to a callee; whatever it answers is returned, only silence is an error. */
  send(name: string, message: HttpMessage, call: Call): Promise<HttpAnswer>;
}

/** A function that runs: its faces, and what has to be watched and closed with it. */
export interface OpenFunction {
  readonly routes: readonly Route[];
  /** Answers the gRPC method; a function without it leaves that unimplemented. */
  greetings?(call: Call): Promise<Greeting[]>;
  readonly resources: readonly Resource[];
  /** Stops taking work of its own (a consumer's, say); called once, when draining begins. */
  drain?(): Promise<void>;
}

export interface Route {
  readonly method: "GET" | "POST";
  /** A path whose segments may be names in braces: "/api/services/{name}/greeting". */
  readonly path: string;
  handle(request: RouteRequest): Promise<RouteAnswer>;
}

export interface RouteRequest {
  readonly call: Call;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The body's bytes; empty when there is none. */
  readonly body: Buffer;
}

export interface RouteAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Sent as JSON, unless it is bytes already; left out: no content. A stream goes on without a deadline,
   * and is destroyed when its client leaves; whoever made it ends it when draining begins.
   */
  readonly body?: object | Buffer | Readable;
}
