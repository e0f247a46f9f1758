import { HostError } from "../base/errors.ts";
import type { Collection } from "../store/mongo.ts";
import type { Definition, Deploy, Effect } from "./definition.ts";
import type { Message } from "./effects.ts";
import { applyAll, byIndex } from "./greeter.ts";
import { createGreeting } from "./greetings.ts";
import { type HouseRoute, handlerOf } from "./handler.ts";

/** How many messages a subscriber shows unless it is asked for another number, and at most. */
export const defaultMessages = 20;
export const maxMessages = 1_000;

export interface SubscriberOptions {
  name: string;
  greeting: string;
  /** The queue whose messages it gets, as CloudEvents. */
  from?: string;
  /** Done with each event, one after the other, before it is answered. The first that saves is shown at /api/messages. */
  effects: readonly Effect<Message>[];
  deploy?: Deploy;
}

/**
 * A function that takes CloudEvents by POST / (binary or structured), and greets like the others.
 * Answers 204 (stored), 400 (this event will never be taken) or 503 (try again). It is an HTTP
 * function and not functions-framework's `cloudEvent`, which answers every failure with 500, a
 * status that Knative's source does not retry; for the same reason a fault of the event is never
 * 404 or 413, which the source would retry.
 */
export function subscriber(options: SubscriberOptions): Definition {
  const { name, greeting, from, effects, deploy } = options;
  const stores = effects.findIndex(({ system }) => system === "mongodb");
  const messages: HouseRoute = {
    method: "GET",
    path: "/api/messages",
    summary: "The events that were stored last, newest first",
    async handle({ query, call }, { effects }) {
      const store = effects[stores]?.bind(call) as Collection<Message>;
      const limit = readLimit(query);
      try {
        const latest = await store.latest(limit);
        return { body: { messages: latest.map(({ event }) => event) } };
      } catch (thrown) {
        throw HostError.from(thrown).at(name);
      }
    },
  };
  return handlerOf(
    {
      kind: "subscriber",
      name,
      effects: byIndex(effects),
      ...(from !== undefined && { from }),
      ...(deploy && { deploy }),
    },
    {
      greeting,
      greetings: async (call) => [createGreeting(name, greeting, call)],
      async onEvent(event, key, call, { effects }) {
        await applyAll(effects, { id: key, event } satisfies Message, call, name);
      },
      routes: stores < 0 ? [] : [messages],
    },
  );
}

function readLimit(query: URLSearchParams): number {
  const text = query.get("limit");
  if (text === null) return defaultMessages;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= maxMessages) return limit;
  throw new HostError("ERR_BAD_REQUEST", `limit=${text}: 1 to ${maxMessages} is expected`);
}
