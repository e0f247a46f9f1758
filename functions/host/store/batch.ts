/** The outcome of one item of a batch: undefined for success. */
export type Outcome = Error | undefined;

/**
 * Group commit: items that arrive while a commit is under way wait and go together in the next
 * one. Each caller is answered when its own item is committed, with its own outcome.
 * At most one commit runs at a time, of at most `maxItems` items.
 */
export function createBatch<Item>(options: {
  maxItems: number;
  /** Of all items of a commit that has several; any number unless it is given. */
  maxBytes?: number;
  /** Settles with one outcome per item, in order; a rejection is the outcome of all of them. */
  commit(items: readonly Item[]): Promise<readonly Outcome[]>;
}): {
  /** Resolves to the number of items that went together with this one, itself included. */
  add(item: Item, bytes?: number): Promise<number>;
  idle(): Promise<void>;
} {
  interface Waiting {
    item: Item;
    bytes: number;
    settle(outcome: Outcome, size: number): void;
  }
  let queue: Waiting[] = [];
  let running: Promise<void> | undefined;

  const { maxItems, maxBytes = Number.POSITIVE_INFINITY } = options;
  const countOf = (waiting: readonly Waiting[]): number => {
    let bytes = 0;
    const tooMany = waiting.findIndex((one, i) => {
      bytes += one.bytes;
      return i >= maxItems || (i > 0 && bytes > maxBytes);
    });
    return tooMany < 0 ? waiting.length : tooMany;
  };

  const run = async () => {
    while (queue.length > 0) {
      const count = countOf(queue);
      const group = queue.slice(0, count);
      queue = queue.slice(count);
      let outcomes: readonly Outcome[];
      try {
        outcomes = await options.commit(group.map(({ item }) => item));
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        outcomes = group.map(() => error);
      }
      for (const [i, { settle }] of group.entries()) settle(outcomes[i], group.length);
    }
    running = undefined;
  };

  return {
    add(item, bytes = 0) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const settle: Waiting["settle"] = (outcome, size) =>
        outcome ? reject(outcome) : resolve(size);
      queue.push({ item, bytes, settle });
      // Items of one turn of the event loop go together: they came with the same read of the sockets.
      running ??= new Promise(setImmediate).then(run);
      return promise;
    },
    /** Settles when nothing waits or runs. */
    idle: async () => {
      await running;
    },
  };
}
