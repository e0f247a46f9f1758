/** What a function imports, and all that it needs. */
export { bridge } from "./kinds/bridge.ts";
export { type Callee, type Definition, grpc, http } from "./kinds/definition.ts";
export { publishTo, saveTo } from "./kinds/effects.ts";
export { gateway } from "./kinds/gateway.ts";
export { greeter } from "./kinds/greeter.ts";
export { subscriber } from "./kinds/subscriber.ts";
