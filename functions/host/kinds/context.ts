import { HostError } from "../base/errors.ts";
import type { Call } from "../call/call.ts";
import type { Callee } from "../call/callee.ts";
import type { Runtime } from "../call/runtime.ts";
import type { Logger } from "../telemetry/logger.ts";
import { bindCallees } from "./callees.ts";
import type { OpenEffect } from "./definition.ts";
import type { Callees, Context } from "./handler-options.ts";

/** What all contexts of a function have in common. */
export interface Given {
  readonly name: string;
  readonly calls: readonly Callee[];
  readonly state: unknown;
  readonly runtime: Runtime;
  /** By their names in the declaration. */
  readonly opened: ReadonlyMap<string, OpenEffect<unknown>>;
}

/**
 * What a handler gets for one call. Its logger, effects and callees are made when they are asked for: many requests need
 * none. A class, for getters of an object's own are slow to make.
 */
export class CallContext implements Context<unknown, readonly Callee[], unknown> {
  readonly call: Call;
  readonly state: unknown;
  readonly #given: Given;

  constructor(call: Call, given: Given) {
    this.call = call;
    this.state = given.state;
    this.#given = given;
  }

  get log(): Logger {
    return this.call.log;
  }

  get effects() {
    const { name, opened } = this.#given;
    const bound = [...opened].map(([key, effect]) => [key, inPath(name, effect.bind(this.call))]);
    return Object.fromEntries(bound);
  }

  get callees(): Callees<readonly Callee[]> {
    const { name, calls, runtime } = this.#given;
    return bindCallees(name, calls, runtime, this.call);
  }
}

/** Failures of an effect name the function in which they happened. */
function inPath(name: string, bound: unknown): unknown {
  const methods = Object.entries(bound as Record<string, (...args: unknown[]) => Promise<unknown>>);
  const led = methods.map(([key, method]) => [
    key,
    async (...args: unknown[]) => {
      try {
        return await method(...args);
      } catch (thrown) {
        throw HostError.from(thrown).at(name);
      }
    },
  ]);
  return Object.fromEntries(led);
}
