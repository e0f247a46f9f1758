import type { IncomingHttpHeaders } from "node:http";
import type { MethodDefinition } from "@grpc/grpc-js";
import type { Attributes } from "@opentelemetry/api";
import type { Greeting } from "#proto";
import type { Config } from "../base/config.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { Admission } from "./admission.ts";
import type { Call } from "./call.ts";
import type { Callee } from "./callee.ts";
import type { Wake } from "./wake.ts";

/** What a host gives to the function that it runs. */
export interface Runtime {
  readonly name: string;
  readonly config: Config;
  readonly log: Logger;
  readonly tracing: Tracing;
  /** Undefined where METRICS is off. */
  readonly metrics: Metrics | undefined;
  /** Undefined where nothing is to be woken. */
  readonly wake: Wake | undefined;
  /** Decides which of the headers that travel along are obeyed here. */
  readonly admission: Admission;
  /** Aborts when draining begins: work without an end of its own has to end then. */
  readonly draining: AbortSignal;
  /** The callee's greetings, by the protocol of the edge unless the request or CALL_PROTOCOL asks for another. */
  greetingsOf(callee: Callee, call: Call): Promise<Greeting[]>;
  /** Sends any HTTP request to a callee. Returns every answer; throws only when there is none. */
  send(name: string, message: HttpMessage, call: Call): Promise<HttpAnswer>;
  /** Calls a unary method of a callee's own gRPC service. */
  invoke<Request, Response>(
    name: string,
    method: MethodDefinition<Request, Response>,
    request: Request,
    call: Call,
    /** Of the callee's effects: with it a call may be sent again that was processed. */
    key?: string,
  ): Promise<Response>;
}

export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface HttpMessage {
  readonly method: HttpMethod;
  /** Path and query. */
  readonly path: string;
  /** The name of the operation's path where `path` holds ids: "/api/orders/{id}". */
  readonly template?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Of the operation, besides those of every request. */
  readonly attributes?: Attributes;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
