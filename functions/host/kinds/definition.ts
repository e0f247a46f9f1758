import type { Greeting } from "#proto";
import type { Resource } from "../base/resource.ts";
import type { Call } from "../call/call.ts";
import type { Callee, GrpcService } from "../call/callee.ts";
import type { HttpMethod, Runtime } from "../call/runtime.ts";
import type { OpenService } from "../grpc/service.ts";
import type { Route } from "../http/route.ts";

/** A declared edge to a database's collection ("database.collection") or a broker's queue. */
export interface Destination {
  readonly system: "mongodb" | "rabbitmq";
  readonly destination: string;
}

/**
 * Something that a function does with data that leaves it. Declaring it opens nothing; its host opens it.
 * `Entry` is what a greeter or subscriber applies it to, `Bound` what a handler sees of it in one call.
 */
export interface Effect<Entry, Bound = unknown> extends Destination {
  open(runtime: Runtime): Promise<OpenEffect<Entry, Bound>>;
}

export interface OpenEffect<Entry, Bound = unknown> extends Resource {
  /** Settles when the entry is safe where it belongs; rejects with a HostError otherwise. */
  apply(entry: Entry, call: Call): Promise<void>;
  /** For one call, whose deadline and trace it has. */
  bind(call: Call): Bound;
}

/** A route as the gateway, OpenAPI and people need to know it. */
export interface RouteDeclaration {
  readonly method: HttpMethod;
  readonly path: string;
  /** One sentence for OpenAPI. */
  readonly summary?: string;
  /** JSON Schema of its body, where one is declared and its library can tell it. */
  readonly body?: object;
}

/** What a cluster needs to know of a function and cannot derive. */
export interface Deploy {
  /** Reachable from outside, at SUBDOMAIN.ENVIRONMENT.example-api.com (false). */
  readonly public?: boolean;
  /** The first part of its public name (the function's name). */
  readonly subdomain?: string;
  /**
   * Instances, and how many requests at a time one of them has when its one thread has no time left (10 of a greeter or
   * subscriber that calls none, 15 of one that calls others, else Knative's default). Knative keeps to 70 % of it.
   */
  readonly scale?: { readonly min?: number; readonly max?: number; readonly target?: number };
  /** The most requests that one instance gets at a time (100). */
  readonly concurrency?: number;
  /** The longest that Knative lets a request take (60). */
  readonly timeoutSeconds?: number;
  /** Kubernetes quantities (25m and 128Mi requested, 1 and 256Mi at most). */
  readonly resources?: {
    readonly requests?: { readonly cpu?: string; readonly memory?: string };
    readonly limits?: { readonly cpu?: string; readonly memory?: string };
  };
}

/**
 * One function, as data: the host, the local run, the graph, the manifests and the tests all read it.
 * Making one registers its handler with functions-framework and opens nothing.
 */
export interface Definition {
  readonly kind: "greeter" | "subscriber" | "handler" | "gateway" | "bridge" | "ui";
  /** The folder's name, which is the function's target, Knative Service and image too. */
  readonly name: string;
  readonly greeting?: string;
  /** In answer order. */
  readonly calls: readonly Callee[];
  /** In the order in which they are declared. */
  readonly effects: readonly Destination[];
  /** The queue that it consumes, by way of the bridge or of Knative's RabbitmqSource. */
  readonly from?: string;
  readonly routes: readonly RouteDeclaration[];
  /** The gRPC services of its own, besides the greetings'. */
  readonly services: readonly GrpcService[];
  readonly deploy: Deploy;
  /** What is wrong with the declaration as it stands, a sentence each; nothing runs that has any. */
  readonly problems: readonly string[];
  /** Every function that a request's faults can name; only a gateway knows them all. */
  readonly faultTargets?: readonly string[];
  open(runtime: Runtime): Promise<OpenFunction>;
}

/** A function that runs: its faces, and what has to be watched and closed with it. */
export interface OpenFunction {
  readonly routes: readonly Route[];
  /** Answers the greetings' gRPC method; a function without it does not have that service. */
  greetings?(call: Call): Promise<Greeting[]>;
  /** gRPC services of its own. */
  readonly services?: readonly OpenService[];
  readonly resources: readonly Resource[];
  /** Stops taking work of its own (a consumer's, say); called once, when draining begins. */
  drain?(): Promise<void>;
}
