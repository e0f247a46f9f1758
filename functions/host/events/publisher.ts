/** Publishes greetings as CloudEvents over AMQP 0.9.1: persistent, mandatory, confirmed. */
import { CloudEvent } from "cloudevents";
import type { Greeting } from "#proto";
import { HostError, reasonOf } from "../base/errors.ts";
import { headersToEvent, type PropagatedHeaders } from "../base/headers.ts";
import { abortable } from "../call/call.ts";
import type { OpenEffect, Runtime } from "../kinds/definition.ts";
import { queueAttributes, serverOfUrl } from "../telemetry/semantics.ts";
import type { RunningOperation } from "../telemetry/tracing.ts";
import { openBroker } from "./amqp.ts";
import { eventToMessage } from "./event-message.ts";

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

  const attributes = {
    ...queueAttributes(queue, { name: "publish", type: "send" }),
    ...serverOfUrl(runtime.config.rabbitmqUrl, 5672),
  };

  const publish = async (greeting: Greeting, running: RunningOperation) => {
    const channel = await broker.channel();
    const event = eventOf(greeting, runtime.name, running.headers);
    const { content, headers, properties } = eventToMessage(event);
    running.set({ "messaging.message.body.size": content.length });
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
    apply(greeting, call) {
      const about = { ...attributes, "messaging.message.id": greeting.id };
      const operation = { kind: "producer", name: `publish ${queue}`, attributes: about } as const;
      return runtime.tracing.run(operation, call, async (running) => {
        try {
          await abortable(publish(greeting, running), call.signal);
        } catch (thrown) {
          if (call.signal.aborted) throw HostError.from(call.signal.reason).at("RabbitMQ");
          if (thrown instanceof HostError) throw thrown;
          const detail = `RabbitMQ is unreachable (${reasonOf(thrown)})`;
          throw new HostError("ERR_PUBLISH", detail, { cause: thrown });
        }
      });
    },
  };
}

function eventOf(
  greeting: Greeting,
  name: string,
  headers: PropagatedHeaders,
): CloudEvent<Greeting> {
  return new CloudEvent({
    id: greeting.id,
    source: `/${name}`,
    type: greetingEventType,
    time: greeting.created,
    datacontenttype: "application/json",
    data: greeting,
    ...headersToEvent(headers),
  });
}
