/** The types of `handler`: what its author writes, and what the author's code gets. */
import type { IncomingHttpHeaders } from "node:http";
import type { MethodDefinition } from "@grpc/grpc-js";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Greeting } from "#proto";
import type { RouteAnswer } from "../base/answer.ts";
import type { Call } from "../call/call.ts";
import type { Callee, GrpcCallee, GrpcService } from "../call/callee.ts";
import type { HttpAnswer, HttpMethod, Runtime } from "../call/runtime.ts";
import type { EventJson } from "../events/event-rules.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Deploy, Effect } from "./definition.ts";

// biome-ignore lint/suspicious/noExplicitAny: an effect's entry type differs from effect to effect
export type Effects = Readonly<Record<string, Effect<any>>>;

// biome-ignore lint/suspicious/noExplicitAny: a message type differs from method to method
type Any = any;

/** What a handler's code sees of its effects, by their declared names. */
export type Bound<E> = { readonly [K in keyof E]: E[K] extends Effect<Any, infer B> ? B : never };

/** Clients of the declared callees, by name. */
export type Callees<C extends readonly Callee[]> = {
  readonly [One in C[number] as One["name"]]: CalleeClient<One>;
};

export type CalleeClient<One extends Callee> = {
  /** The callee's greetings and those below it, by the edge's protocol unless the request asks for another. */
  greetings(): Promise<Greeting[]>;
} & (One extends GrpcCallee<string, infer Service>
  ? Service extends GrpcService
    ? UnaryMethods<Service>
    : unknown
  : {
      /**
       * Sends a request over HTTP; `body` goes as JSON. Resolves with any answer below 400, whose JSON is
       * `json`; the callee's problem is thrown, led by the path of hops.
       */
      request(route: `${HttpMethod} /${string}`, body?: unknown): Promise<JsonAnswer>;
    });

export interface JsonAnswer extends HttpAnswer {
  /** The body's value where it is JSON, else undefined. */
  readonly json: Any;
}

type UnaryMethods<S> = {
  [K in keyof S as S[K] extends { requestStream: true } | { responseStream: true } ? never : K]: (
    request: RequestOf<S[K]>,
  ) => Promise<ResponseOf<S[K]>>;
};
type RequestOf<M> = M extends MethodDefinition<infer Request, Any> ? Request : never;
type ResponseOf<M> = M extends MethodDefinition<Any, infer Response> ? Response : never;

/** What a handler's code gets with each request, event or gRPC call. */
export interface Context<E, C extends readonly Callee[], S> {
  /** Signal, deadline, headers that travel along; pass it on to what is awaited. */
  readonly call: Call;
  /** Its lines have the request's id and its trace. */
  readonly log: Logger;
  readonly effects: Bound<E>;
  readonly callees: Callees<C>;
  /** What `setup` made. */
  readonly state: S;
}

/** Names in braces, as strings: "/api/orders/{id}" has `{ id: string }`. */
export type ParametersOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [K in Name extends `${infer Plain}...` ? Plain : Name]: string } & ParametersOf<Rest>
  : unknown;

/** A JSON Schema (2020-12 or draft-07 by its `$schema`), with the type of what passes it for TypeScript. */
export interface JsonSchema<T = Any> {
  readonly [keyword: string]: unknown;
  readonly "~type"?: T;
}

/** A validator by Standard Schema (zod, valibot, arktype …) or a JSON Schema. */
export type Schema = StandardSchemaV1 | JsonSchema;

/** What passed the schema; without one the body's bytes, which may be none. */
export type BodyOf<B> = B extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<B>
  : B extends JsonSchema<infer T>
    ? unknown extends T
      ? Any
      : T
    : Buffer;

export interface RouteOptions<E, C extends readonly Callee[], S, Path extends string, B> {
  /** One sentence for OpenAPI. */
  readonly summary?: string;
  /** The JSON body must pass it; what fails is answered with 400, and the field's name. */
  readonly body?: B;
  /** Undefined is 204. A HostError is answered with its status, anything else that is thrown with 500. */
  handle(
    context: Context<E, C, S> & {
      readonly parameters: ParametersOf<Path>;
      readonly query: URLSearchParams;
      readonly headers: IncomingHttpHeaders;
      readonly body: BodyOf<B>;
    },
  ): Promise<RouteAnswer | undefined>;
}

export interface HandlerOptions<
  E,
  C extends readonly Callee[],
  S,
  R,
  G extends readonly unknown[],
> {
  /** The folder's name, which is the function's target, Knative Service and image too. */
  readonly name: string;
  readonly calls?: C;
  readonly effects?: E;
  /** The queue that it consumes; its messages come to `on`. */
  readonly from?: string;
  /** By method and path: "POST /api/orders", "GET /api/orders/{id}". */
  readonly routes?: {
    readonly [Path in keyof R & string]: RouteOptions<E, C, S, Path, R[Path]>;
  };
  /**
   * By the event's type, "*" for every other one. An event is answered when its handler has ended: 204. What is
   * thrown as ERR_BAD_REQUEST is dead-lettered; what can be retried comes again, so do the work by the event's id.
   */
  readonly on?: Readonly<
    Record<string, (event: EventJson & { data?: Any }, context: Context<E, C, S>) => Promise<void>>
  >;
  /** Services from protos of one's own: messages of a streaming request or response are AsyncIterables. */
  readonly grpc?: {
    readonly [I in keyof G]: {
      readonly service: G[I];
      readonly methods: {
        readonly [K in keyof G[I]]: (
          request: G[I][K] extends { requestStream: true }
            ? AsyncIterable<RequestOf<G[I][K]>>
            : RequestOf<G[I][K]>,
          context: Context<E, C, S>,
        ) => G[I][K] extends { responseStream: true }
          ? AsyncIterable<ResponseOf<G[I][K]>>
          : Promise<ResponseOf<G[I][K]>>;
      };
    };
  };
  /** Makes what all requests share, once, before the function listens. `runtime.draining` says when to end it. */
  readonly setup?: (runtime: Runtime) => Promise<S> | S;
  readonly deploy?: Deploy;
}
