import { randomUUID } from "node:crypto";
import { type Greeting, GreetingResponse } from "#proto";
import { HostError } from "../base/errors.ts";
import { type Call, forkCall } from "../call/call.ts";
import { registerFunction } from "../http/exchange.ts";
import type { Callee, Definition, Effect, Route, Runtime } from "./definition.ts";

export interface GreeterOptions {
  /** The folder's name, which is the function's target, Knative Service and image too. */
  name: string;
  greeting: string;
  /** Called in parallel; their greetings come before this one's, in this order. */
  calls?: readonly Callee[];
  /** Done with this function's own greeting once every callee has answered. */
  effect?: Effect<Greeting>;
}

/** A function that answers with the greetings of its callees and its own, over HTTP and gRPC. */
export function greeter({ name, greeting, calls = [], effect }: GreeterOptions): Definition {
  registerFunction(name);
  return {
    kind: "greeter",
    name,
    greeting,
    calls,
    effects: effect ? [effect] : [],
    async open(runtime) {
      const open = await effect?.open(runtime);
      const greetings = async (call: Call) => {
        const below = await gather(name, calls, runtime, call);
        const own = createGreeting(name, greeting);
        await open?.apply(own, call).catch((thrown) => {
          throw HostError.from(thrown).at(name);
        });
        return [...below, own];
      };
      return { greetings, routes: greetingRoutes(greetings), resources: open ? [open] : [] };
    },
  };
}

/** A greeting of the function, made now. */
export function createGreeting(name: string, message: string): Greeting {
  const service = name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
  return { id: randomUUID(), service, message, created: new Date().toISOString() };
}

/** GET / and GET /api/greeting, as every function answers them. */
export function greetingRoutes(greetings: (call: Call) => Promise<Greeting[]>): Route[] {
  const handle: Route["handle"] = async ({ call }) => ({
    status: 200,
    body: GreetingResponse.toJSON({ greeting: await greetings(call) }) as object,
  });
  return [
    { method: "GET", path: "/", handle },
    { method: "GET", path: "/api/greeting", handle },
  ];
}

async function gather(
  name: string,
  callees: readonly Callee[],
  runtime: Runtime,
  call: Call,
): Promise<Greeting[]> {
  if (callees.length === 0) return [];
  const siblings = forkCall(call);
  try {
    const answers = callees.map((callee) => runtime.greetingsOf(callee, siblings.call));
    return (await Promise.all(answers)).flat();
  } catch (thrown) {
    // The answer is lost as a whole, so whatever the others still do would be for nothing.
    siblings.abort();
    throw HostError.from(thrown).via(name);
  }
}
