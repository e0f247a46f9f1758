import type { RouteAnswer } from "#host/base/answer";
import { HostError } from "#host/base/errors";
import { type DeadLetters, openDeadLetters } from "../dead-letters/dead-letters.ts";

/** As many of each queue as a page shows. */
const listed = 50;

/**
 * The dead letters of the graph's queues for the page, which may retry them; dropping is left to the command line.
 * A connection for each request: they are rare.
 */
export function createDeadLetterAnswers(queues: readonly string[], url: () => string | undefined) {
  const withLetters = async <T>(work: (letters: DeadLetters) => Promise<T>): Promise<T> => {
    const broker = url();
    if (!broker) throw new HostError("ERR_PUBLISH", "RabbitMQ is not started yet");
    const letters = await openDeadLetters(broker);
    try {
      return await work(letters);
    } finally {
      await letters.close();
    }
  };
  return {
    list: (): Promise<RouteAnswer> =>
      withLetters(async (letters) => ({
        body: { queues: await Promise.all(queues.map((queue) => letters.list(queue, listed))) },
      })),
    /** `?queue=` and `?id=`; without an id all of the queue. */
    async retry({ query }: { readonly query: URLSearchParams }): Promise<RouteAnswer> {
      const queue = query.get("queue") ?? "";
      const id = query.get("id");
      if (!queues.includes(queue))
        throw new HostError("ERR_NOT_FOUND", `no queue is named ${queue}`);
      const retried = await withLetters((letters) =>
        letters.retry(queue, (letter) => id === null || letter.id === id),
      );
      if (id !== null && retried.length === 0) {
        throw new HostError("ERR_NOT_FOUND", `there is no dead letter ${id}, or not any more`);
      }
      return { body: { retried } };
    },
  };
}
