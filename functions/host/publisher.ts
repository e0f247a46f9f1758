/** Publishes greetings as CloudEvents over AMQP 0.9.1: persistent, mandatory, confirmed. */
import { CloudEvent } from "cloudevents";
import type { Greeting } from "#proto";
import { openBroker } from "./amqp.ts";
import { abortable, type Call } from "./call.ts";
import type { OpenEffect, Runtime } from "./definition.ts";
import { HostError, reasonOf } from "./errors.ts";
import { eventToMessage } from "./event-message.ts";
import { headersToEvent } from "./headers.ts";

/** The type of the event that stands for a greeting. */
export const greetingEventType = "com.example-api.greeting.created";

export async function openPublisher(
  queue: string,
  runtime: Runtime,
): Promise<OpenEffect<Greeting>> {
  // By message id, from a message's return (no queue takes it) to its confirm, which follows.
  const returned = new Set<string>();
  const broker = await openBroker({
    queue,
    runtime,
    onChannel(channel) {
      channel.on("return", ({ properties }) => returned.add(String(properties.messageId)));
    },
  });

  const publish = async (greeting: Greeting, call: Call) => {
    const channel = await broker.channel();
    const { content, headers, properties } = eventToMessage(eventOf(greeting, runtime.name, call));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const options = { ...properties, headers, persistent: true, mandatory: true };
    channel.publish("", queue, content, options, (error: unknown) => {
      const lost = returned.delete(greeting.id);
      if (!error && !lost) return resolve();
      const why = lost ? "there is no such queue" : reasonOf(error);
      const detail = `RabbitMQ did not take the message for queue ${queue} (${why})`;
      reject(new HostError("ERR_PUBLISH", detail, { cause: error }));
      // The queue was deleted under us.
      if (lost) broker.renew();
    });
    await promise;
  };

  return {
    ...broker,
    async apply(greeting, call) {
      try {
        await abortable(publish(greeting, call), call.signal);
      } catch (thrown) {
        if (call.signal.aborted) throw HostError.from(call.signal.reason).at("RabbitMQ");
        if (thrown instanceof HostError) throw thrown;
        const detail = `RabbitMQ is unreachable (${reasonOf(thrown)})`;
        throw new HostError("ERR_PUBLISH", detail, { cause: thrown });
      }
    },
  };
}

function eventOf(greeting: Greeting, name: string, call: Call): CloudEvent<Greeting> {
  return new CloudEvent({
    id: greeting.id,
    source: `/${name}`,
    type: greetingEventType,
    time: greeting.created,
    datacontenttype: "application/json",
    data: greeting,
    ...headersToEvent(call.headers),
  });
}
