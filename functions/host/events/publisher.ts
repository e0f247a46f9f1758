/** Publishes CloudEvents over AMQP 0.9.1: persistent, mandatory, confirmed. */
import { randomUUID } from "node:crypto";
import type { Greeting } from "#proto";
import { HostError, reasonOf } from "../base/errors.ts";
import { headersToEvent, isHeaderAttribute } from "../base/headers.ts";
import type { Resource } from "../base/resource.ts";
import type { Call } from "../call/call.ts";
import type { Runtime } from "../call/runtime.ts";
import { queueAttributes, serverOfUrl } from "../telemetry/semantics.ts";
import type { RunningOperation } from "../telemetry/tracing.ts";
import { openBroker } from "./amqp.ts";
import { eventToMessage } from "./event-message.ts";
import type { EventJson } from "./event-rules.ts";
import { publishMandatory } from "./mandatory.ts";

/** The type of the event that stands for a greeting. */
export const greetingEventType = "com.example-api.greeting.created";

/** What a handler's code sees of a queue. */
export interface Queue<T> {
  /**
   * Publishes an event, which the call's trace travels with; settles on the broker's confirm. `id` is a UUID and
   * `time` is now unless they are given; the same id is stored once by its subscriber. Returns the id.
   */
  publish(event: {
    type: string;
    data: T;
    id?: string;
    subject?: string;
    time?: string;
  }): Promise<string>;
}

export interface Publisher<T> extends Resource {
  /** Publishes a greeting, or passes a subscriber's event on as it is. */
  apply(entry: Greeting | { readonly event: EventJson }, call: Call): Promise<void>;
  bind(call: Call): Queue<T>;
}

export async function openPublisher<T>(queue: string, runtime: Runtime): Promise<Publisher<T>> {
  const broker = await openBroker(runtime);
  await broker.use({ queue });

  const attributes = {
    ...queueAttributes(queue, { name: "publish", type: "send" }),
    ...serverOfUrl(runtime.config.rabbitmqUrl, 5672),
  };

  const send = async (event: EventJson, running: RunningOperation) => {
    const channel = await broker.channel();
    // What the event brought of them is in the call's headers, as far as it may travel.
    const own = Object.entries(event).filter(([name]) => !isHeaderAttribute(name));
    const carried = { ...Object.fromEntries(own), ...headersToEvent(running.headers) };
    const { content, headers, properties } = eventToMessage(carried as EventJson);
    running.set({ "messaging.message.body.size": content.length });
    const message = {
      exchange: "",
      routingKey: queue,
      content,
      options: { ...properties, headers },
    };
    // Where there is no such queue, it was deleted under us.
    await publishMandatory(channel, `queue ${queue}`, message, broker.renew);
  };

  const publish = (event: EventJson, call: Call): Promise<void> => {
    const about = { ...attributes, "messaging.message.id": event.id };
    runtime.wake?.publishing(queue, call);
    const operation = { kind: "producer", name: `publish ${queue}`, attributes: about } as const;
    return runtime.tracing.run(operation, call, async (running) => {
      try {
        await call.ending.limit(send(event, running));
      } catch (thrown) {
        const { reason } = call.ending;
        if (reason) throw reason.at(broker.problem() ?? "RabbitMQ");
        if (thrown instanceof HostError) throw thrown;
        const detail = `RabbitMQ is unreachable (${reasonOf(thrown)})`;
        throw new HostError("ERR_PUBLISH", detail, { cause: thrown });
      }
    });
  };

  const source = `/${runtime.name}`;
  const json = { specversion: "1.0", source, datacontenttype: "application/json" } as const;
  return {
    name: broker.name,
    problem: broker.problem,
    close: broker.close,
    apply(entry, call) {
      if ("event" in entry) return publish(entry.event, call);
      const { id, created: time } = entry;
      return publish({ ...json, id, type: greetingEventType, time, data: entry }, call);
    },
    bind: (call) => ({
      async publish({ id = randomUUID(), time = new Date().toISOString(), ...event }) {
        await publish({ ...json, id, time, ...event }, call);
        return id;
      },
    }),
  };
}
