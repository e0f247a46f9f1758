import type { RouteAnswer } from "#host/base/answer";
import { HostError } from "#host/base/errors";
import { deadLetterName } from "#host/events/queue";
import { type DeadLetters, openDeadLetters } from "../dead-letters/dead-letters.ts";
import type { QueueDepth } from "./queue-depth.ts";

/** As many of each queue as a page shows. */
const listed = 50;

/**
 * The dead letters of the graph's queues for the page, which may retry them; dropping is left to the command line.
 * A connection for each request: they are rare.
 */
export function createDeadLetterAnswers(
  queues: readonly string[],
  broker: () => { readonly url: string; readonly depth: QueueDepth } | undefined,
) {
  const withLetters = async <T>(
    of: readonly string[],
    work: (letters: DeadLetters) => Promise<T>,
  ): Promise<T> => {
    const found = broker();
    if (!found) throw new HostError("ERR_PUBLISH", "RabbitMQ is not started yet");
    const letters = await openDeadLetters(found.url);
    try {
      return await found.depth.keep(of.map(deadLetterName), () => work(letters));
    } finally {
      await letters.close();
    }
  };
  return {
    list: (): Promise<RouteAnswer> =>
      withLetters(queues, async (letters) => ({
        body: { queues: await Promise.all(queues.map((queue) => letters.list(queue, listed))) },
      })),
    /** `?queue=` and `?id=`; without an id all of the queue. */
    async retry({ query }: { readonly query: URLSearchParams }): Promise<RouteAnswer> {
      const queue = query.get("queue") ?? "";
      const id = query.get("id");
      if (!queues.includes(queue))
        throw new HostError("ERR_NOT_FOUND", `no queue is named ${queue}`);
      const retried = await withLetters([queue], (letters) =>
        letters.retry(queue, (letter) => id === null || letter.id === id),
      );
      if (id !== null && retried.length === 0) {
        throw new HostError("ERR_NOT_FOUND", `there is no dead letter ${id}, or not any more`);
      }
      return { body: { retried } };
    },
  };
}
