/**
 * What a function may do with a greeting, a message or data of its own. The drivers are loaded when an
 * effect is opened, so that a function which needs none of them loads none of them.
 */
import type { Greeting } from "#proto";
import type { EventJson } from "../events/event-rules.ts";
import type { Queue } from "../events/publisher.ts";
import type { Collection } from "../store/mongo.ts";
import type { Effect } from "./definition.ts";

/** A received event as it is kept; `id` joins source and id, which together are unique (CloudEvents 1.0). */
export interface Message {
  readonly id: string;
  readonly event: EventJson;
}

/** Anything that is saved: `id` is its key, and saving the same id again changes nothing. */
export interface Entry {
  readonly id: string;
}

/**
 * Saves to a MongoDB collection, named "database.collection"; settles when it is acknowledged. `T` is what a
 * handler keeps there; a greeter keeps its greetings, a subscriber its messages.
 */
export function saveTo<T extends object = Record<string, unknown>>(
  namespace: string,
): Effect<Entry | (Entry & T), Collection<T>> {
  return {
    system: "mongodb",
    destination: namespace,
    async open(runtime) {
      const { openStore } = await import("../store/mongo.ts");
      return openStore<T>(namespace, runtime);
    },
  };
}

/**
 * Publishes CloudEvents to a RabbitMQ queue; settles on the broker's confirm. A greeter publishes its greetings,
 * a subscriber passes its events on, a handler publishes data of type `T`.
 */
export function publishTo<T = unknown>(queue: string): Effect<Greeting | Message, Queue<T>> {
  return {
    system: "rabbitmq",
    destination: queue,
    async open(runtime) {
      const { openPublisher } = await import("../events/publisher.ts");
      return openPublisher<T>(queue, runtime);
    },
  };
}
