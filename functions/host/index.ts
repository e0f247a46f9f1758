/** What a function imports, and all that it needs. */

export type { RouteAnswer } from "./base/answer.ts";
export { HostError, reasonOf } from "./base/errors.ts";
export type { Call } from "./call/call.ts";
export type { Callee } from "./call/callee.ts";
export { grpc, http } from "./call/callee.ts";
export type { Runtime } from "./call/runtime.ts";
export type { Definition, Deploy, RouteDeclaration } from "./kinds/definition.ts";
export { publishTo, saveTo } from "./kinds/effects.ts";
export type { Graph, GraphEdge, GraphNode } from "./kinds/graph.ts";
export { greeter } from "./kinds/greeter.ts";
export { handler } from "./kinds/handler.ts";
export type { JsonSchema } from "./kinds/handler-options.ts";
export { subscriber } from "./kinds/subscriber.ts";
