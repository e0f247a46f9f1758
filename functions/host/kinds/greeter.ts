import type { Greeting } from "#proto";
import { HostError } from "../base/errors.ts";
import type { Call } from "../call/call.ts";
import type { Callee } from "../call/callee.ts";
import type { Definition, Deploy, Effect, OpenEffect } from "./definition.ts";
import { createGreeting, gather } from "./greetings.ts";
import { handlerOf } from "./handler.ts";
import type { Effects } from "./handler-options.ts";

export interface GreeterOptions {
  /** The folder's name, which is the function's target, Knative Service and image too. */
  name: string;
  greeting: string;
  /** Called in parallel; their greetings come before this one's, in this order. */
  calls?: readonly Callee[];
  /** Done with this function's own greeting, one after the other, once every callee has answered. */
  effects?: readonly Effect<Greeting>[];
  deploy?: Deploy;
}

/** A function that answers with the greetings of its callees and its own, over HTTP and gRPC. */
export function greeter(options: GreeterOptions): Definition {
  const { name, greeting, calls = [], effects = [], deploy } = options;
  return handlerOf(
    { kind: "greeter", name, calls, effects: byIndex(effects), ...(deploy && { deploy }) },
    {
      greeting,
      async greetings(call, { runtime, effects }) {
        const below = await gather(name, calls, runtime, call);
        const own = createGreeting(name, greeting, call);
        await applyAll(effects, own, call, name);
        return [...below, own];
      },
    },
  );
}

/** Effects that are a list, by their place in it. */
export function byIndex(effects: readonly Effect<never>[]): Effects {
  return Object.fromEntries(effects.map((effect, i) => [String(i), effect]));
}

/** One after the other, in declared order; the first that fails ends it. */
export async function applyAll<Entry>(
  effects: readonly OpenEffect<Entry>[],
  entry: Entry,
  call: Call,
  name: string,
): Promise<void> {
  try {
    for (const effect of effects) await effect.apply(entry, call);
  } catch (thrown) {
    throw HostError.from(thrown).at(name);
  }
}
