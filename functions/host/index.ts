/** What a function imports, and all that it needs. */
export { bridge } from "./bridge.ts";
export { type Callee, type Definition, grpc, http } from "./definition.ts";
export { publishTo, saveTo } from "./effects.ts";
export { gateway } from "./gateway.ts";
export { greeter } from "./greeter.ts";
export { subscriber } from "./subscriber.ts";
