/**
 * The dead letters of a broker: listed, shown, retried, dropped. The command line and the page use these functions.
 *
 * D1 Reading leaves every message, and their order, as they were. AMQP cannot look at a message without taking it, so
 *    the messages are held, unacknowledged, until the channel is closed: the broker then puts them back at the head, in
 *    order. It puts them behind others that came back before, so every read takes all of them. (By `nack`, a quorum
 *    queue without a delivery limit puts them at its end.)
 * D2 The broker counts each return, and RabbitMQ 4 drops a message at its 21st. Long before, the whole queue is
 *    written anew, in order, which sets the count to 0.
 * D3 A copy is confirmed before the message is acknowledged: a crash between leaves it twice, never not at all.
 *    Its consumer stores it once, by the event's source and id.
 * D4 One process at a time works on a queue's dead letters: while they are held, another would see none.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ChannelModel, ConsumeMessage } from "amqplib";
import { HostError, reasonOf } from "#host/base/errors";
import { publishCopy } from "#host/events/dead-letter";
import { deadLetterName } from "#host/events/queue";
import type { DeadLetter, DeadLetterList } from "../../ui/live.ts";
import { connectTo, countOf, openChannel, takeLock } from "./broker.ts";
import { holdMessages } from "./held-messages.ts";
import { headersOfCopy, headersOfRetry, readLetter, returnsOf } from "./letter.ts";

export interface FoundLetter {
  readonly letter: DeadLetter;
  readonly message: ConsumeMessage;
}

export interface DeadLetters {
  list(queue: string, limit: number): Promise<DeadLetterList>;
  /** Every one with this id: an event may be there twice. */
  find(queue: string, id: string): Promise<FoundLetter[]>;
  /** Publishes those that `chosen` names to the queue that they came from. */
  retry(queue: string, chosen: (letter: DeadLetter) => boolean): Promise<DeadLetter[]>;
  /** Deletes them for good. */
  drop(queue: string, chosen: (letter: DeadLetter) => boolean): Promise<DeadLetter[]>;
  close(): Promise<void>;
}

type Verdict = "keep" | "retry" | "drop";

/** Half of RabbitMQ 4's default limit. */
const mostReturns = 10;
const copiesAtOnce = 100;
const returnLimitMs = 2_000;

/** Throws ERR_PUBLISH when the broker is away. */
export async function openDeadLetters(url: string): Promise<DeadLetters> {
  const connection = await connectTo(url);
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other: the broker's lock is the connection's. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  };
  const go = (queue: string, judge: Judge) =>
    inTurn(() => walk(connection, queue, judge)).catch((thrown: unknown) => {
      if (thrown instanceof HostError) throw thrown;
      throw new HostError("ERR_PUBLISH", `RabbitMQ: ${reasonOf(thrown)}`, { cause: thrown });
    });
  const take = async (queue: string, verdict: Verdict, chosen: (one: DeadLetter) => boolean) => {
    const taken: DeadLetter[] = [];
    await go(queue, (letter) => {
      if (!chosen(letter)) return "keep";
      taken.push(letter);
      return verdict;
    });
    return taken;
  };

  return {
    async list(queue, limit) {
      const letters: DeadLetter[] = [];
      const total = await go(queue, (letter) => {
        if (letters.length < limit) letters.push(letter);
        return "keep";
      });
      return { queue, total, letters };
    },
    async find(queue, id) {
      const found: FoundLetter[] = [];
      await go(queue, (letter, message) => {
        if (letter.id === id) found.push({ letter, message });
        return "keep";
      });
      return found;
    },
    retry: (queue, chosen) => take(queue, "retry", chosen),
    drop: (queue, chosen) => take(queue, "drop", chosen),
    close: () => connection.close().catch(() => {}),
  };
}

type Judge = (letter: DeadLetter, message: ConsumeMessage) => Verdict;

/** Goes over as many as there are now, for one that fails again comes to the end. Returns that number. */
async function walk(
  connection: ChannelModel,
  queue: string,
  judge: Judge,
): Promise<number | undefined> {
  const dead = deadLetterName(queue);
  await using _lock = await takeLock(connection, dead);
  const count = await countOf(connection, dead);
  if (count === undefined) return undefined;
  const to = { exchange: "", routingKey: queue };
  let kept = 0;
  let returns = 0;
  {
    await using opened = await openChannel(connection);
    const { channel } = opened;
    const copies = copiesUnderWay();
    const held = await holdMessages(channel, dead, count);
    for await (const message of held.messages) {
      const letter = readLetter(queue, message);
      const verdict = judge(letter, message);
      if (verdict === "keep") {
        kept++;
        returns = Math.max(returns, returnsOf(message) + 1);
        continue;
      }
      if (verdict === "drop") {
        channel.ack(message);
        continue;
      }
      const copy = publishCopy(channel, to, message, headersOfRetry(message, letter));
      copies.add(copy.then(() => channel.ack(message)));
      await copies.room();
    }
    await copies.all();
    await held.stop();
    await held.settle();
  }
  await untilBack(connection, dead, kept);
  if (returns >= mostReturns) await writeAnew(connection, queue);
  return count;
}

/** So many at once: one confirm after the other would take a disk's time for each. */
function copiesUnderWay() {
  const copies: Promise<void>[] = [];
  const all = async () => void (await Promise.all(copies.splice(0)));
  return {
    add(copy: Promise<void>) {
      // Its failure is met where the copies are awaited, which may be later.
      copy.catch(() => {});
      copies.push(copy);
    },
    room: async () => (copies.length < copiesAtOnce ? undefined : all()),
    all,
  };
}

/** The broker puts them back after it has confirmed the channel's end; who looks too early does not see them all. */
async function untilBack(connection: ChannelModel, queue: string, kept: number): Promise<void> {
  const end = performance.now() + returnLimitMs;
  // Where others consume as well, they may never be all there.
  while (((await countOf(connection, queue)) ?? kept) < kept && performance.now() < end) {
    await delay(20);
  }
}

/** D2: every message to the queue's end, in order. */
async function writeAnew(connection: ChannelModel, queue: string): Promise<void> {
  const dead = deadLetterName(queue);
  await using opened = await openChannel(connection);
  const { channel } = opened;
  const { messageCount } = await channel.checkQueue(dead);
  const to = { exchange: "", routingKey: dead };
  const copies = copiesUnderWay();
  let last: ConsumeMessage | undefined;
  const held = await holdMessages(channel, dead, messageCount);
  for await (const message of held.messages) {
    const headers = headersOfCopy(message, readLetter(queue, message));
    copies.add(publishCopy(channel, to, message, headers));
    last = message;
    await copies.room();
  }
  await copies.all();
  // Not before: an acknowledgement makes room for a copy, which would come back out of order.
  await held.stop();
  if (last) channel.ack(last, true);
  await held.settle();
}
