/**
 * What a function may do with a greeting or a message. The drivers are loaded when an effect is
 * opened, so that a function which needs none of them loads none of them.
 */
import type { Greeting } from "#proto";
import type { Call } from "../call/call.ts";
import type { Effect, OpenEffect } from "./definition.ts";

/** Anything that is saved: `id` is its key, and saving the same id again changes nothing. */
export interface Entry {
  readonly id: string;
}

/** An effect whose entries can be read back. */
export interface StoreEffect<T extends Entry> extends Effect<T> {
  open(...args: Parameters<Effect<T>["open"]>): Promise<OpenStore<T>>;
}

export interface OpenStore<T extends Entry> extends OpenEffect<T> {
  /** The entries saved last, newest first. */
  latest(limit: number, call: Call): Promise<T[]>;
}

/** Saves to a MongoDB collection, named "database.collection"; settles when it is acknowledged. */
export function saveTo<T extends Entry>(namespace: string): StoreEffect<T> {
  return {
    system: "mongodb",
    destination: namespace,
    async open(runtime) {
      const { openStore } = await import("../store/mongo.ts");
      return openStore<T>(namespace, runtime);
    },
  };
}

/** Publishes a greeting to a RabbitMQ queue as a CloudEvent; settles on the broker's confirm. */
export function publishTo(queue: string): Effect<Greeting> {
  return {
    system: "rabbitmq",
    destination: queue,
    async open(runtime) {
      const { openPublisher } = await import("../events/publisher.ts");
      return openPublisher(queue, runtime);
    },
  };
}
