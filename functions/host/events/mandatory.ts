/** A publication that some queue has to take. */
import type { ConfirmChannel, Message, Options } from "amqplib";
import { HostError, reasonOf } from "../base/errors.ts";

/** A copy's own id, which wins over the event's: AMQP has no other tie between a returned message and its publication. */
export const copyHeader = "x-copy-id";

type Headers = Readonly<Record<string, unknown>>;

export interface Publication {
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  readonly options: Options.Publish & { readonly headers: Headers };
}

/**
 * Publishes it as persistent and mandatory; settles on the broker's confirm. Throws ERR_PUBLISH, which names `where`, when
 * the broker refuses it or is gone, and when no queue takes it, which the broker confirms as well: `onUnrouted` is called
 * then.
 */
export async function publishMandatory(
  channel: ConfirmChannel,
  where: string,
  { exchange, routingKey, content, options }: Publication,
  onUnrouted: () => void = () => {},
): Promise<void> {
  const returned = returnsOf(channel);
  const id = idOf(routingKey, options.headers);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const all = { ...options, persistent: true, mandatory: true };
  channel.publish(exchange, routingKey, content, all, (error: unknown) => {
    const lost = returned.delete(id);
    if (!error && !lost) return resolve();
    const why = lost ? "there is no such queue" : reasonOf(error);
    const detail = `RabbitMQ did not take the message for ${where} (${why})`;
    reject(new HostError("ERR_PUBLISH", detail, { cause: error }));
    if (lost) onUnrouted();
  });
  await promise;
}

/** One event may be on its way to several queues. */
function idOf(routingKey: string, headers: Headers = {}): string {
  return `${routingKey} ${headers[copyHeader] ?? headers["ce-id"]}`;
}

const returns = new WeakMap<ConfirmChannel, Set<string>>();

/** The messages that no queue took, from the message's return to its confirm, which follows. */
function returnsOf(channel: ConfirmChannel): Set<string> {
  const known = returns.get(channel);
  if (known) return known;
  const ids = new Set<string>();
  channel.on("return", ({ fields, properties }: Message) => {
    ids.add(idOf(fields.routingKey, properties.headers));
  });
  returns.set(channel, ids);
  return ids;
}
