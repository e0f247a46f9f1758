import assert from "node:assert/strict";
import { test } from "node:test";
import { createBatch, type Outcome } from "#host/store/batch";

/** A commit that ends when the test says so. */
function heldCommits() {
  const groups: {
    items: readonly string[];
    end(outcomes?: Outcome[]): void;
    fail(thrown: unknown): void;
  }[] = [];
  const commit = (items: readonly string[]) => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Outcome[]>();
    groups.push({ items, end: (outcomes = []) => resolve(outcomes), fail: reject });
    return promise;
  };
  return { commit, groups };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("items that arrive during a commit go together in the next one", async () => {
  const { commit, groups } = heldCommits();
  const batch = createBatch({ maxItems: 10, commit });
  const first = batch.add("a");
  await turn();
  const later = [batch.add("b"), batch.add("c")];
  await turn();
  assert.deepEqual(
    groups.map(({ items }) => items),
    [["a"]],
  );
  groups[0]?.end();
  await first;
  await turn();
  assert.deepEqual(
    groups.map(({ items }) => items),
    [["a"], ["b", "c"]],
  );
  groups[1]?.end();
  assert.deepEqual(await Promise.all(later), [2, 2], "each gets the number that went together");
});

test("a commit has no more items than are allowed, and the order is kept", async () => {
  const sizes: string[][] = [];
  const batch = createBatch<string>({
    maxItems: 2,
    commit: async (items) => {
      sizes.push([...items]);
      return [];
    },
  });
  await Promise.all([..."abcde"].map((item) => batch.add(item)));
  assert.deepEqual(sizes, [["a", "b"], ["c", "d"], ["e"]]);
});

test("a commit of several items has no more bytes than are allowed", async () => {
  const sizes: string[][] = [];
  const batch = createBatch<string>({
    maxItems: 10,
    maxBytes: 100,
    commit: async (items) => {
      sizes.push([...items]);
      return [];
    },
  });
  const items = { a: 60, b: 40, c: 1, d: 500, e: 99, f: 1, g: 1 };
  await Promise.all(Object.entries(items).map(([item, bytes]) => batch.add(item, bytes)));
  assert.deepEqual(sizes, [["a", "b"], ["c"], ["d"], ["e", "f"], ["g"]]);
});

test("each item has its own outcome", async () => {
  const batch = createBatch<string>({
    maxItems: 10,
    commit: async (items) => items.map((i) => (i === "bad" ? new Error("refused") : undefined)),
  });
  const outcomes = await Promise.allSettled(["good", "bad", "fine"].map((i) => batch.add(i)));
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
});

test("a commit that fails fails each of its items, and none of the next commit", async () => {
  const { commit, groups } = heldCommits();
  const batch = createBatch({ maxItems: 2, commit });
  const added = ["a", "b", "c"].map((item) => batch.add(item));
  const settled = Promise.allSettled(added);
  await turn();
  groups[0]?.fail("away");
  await turn();
  groups[1]?.end();
  const outcomes = await settled;
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["rejected", "rejected", "fulfilled"],
  );
  assert.match(String((outcomes[0] as PromiseRejectedResult).reason), /away/);
});

test("a commit that throws at once fails its items, and the batch goes on", async () => {
  let broken = true;
  const batch = createBatch<string>({
    maxItems: 1,
    commit: () => {
      if (broken) throw new Error("broken");
      return Promise.resolve([]);
    },
  });
  await assert.rejects(batch.add("a"), /broken/);
  broken = false;
  await batch.add("b");
});

test("idle settles only when nothing waits or runs", async () => {
  const { commit, groups } = heldCommits();
  const batch = createBatch({ maxItems: 1, commit });
  await batch.idle();
  const added = [batch.add("a"), batch.add("b")];
  let idle = false;
  const waiting = batch.idle().then(() => {
    idle = true;
  });
  await turn();
  groups[0]?.end();
  await turn();
  assert.equal(idle, false);
  groups[1]?.end();
  await Promise.all([waiting, ...added]);
});
