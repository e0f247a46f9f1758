import assert from "node:assert/strict";
import { test } from "node:test";
import { createLifecycle, type Phase } from "#host/serve/lifecycle";

const phases: Phase[] = ["starting", "ready", "draining", "closed"];

for (const [i, from] of phases.entries()) {
  for (const [j, to] of phases.entries()) {
    const forward = j > i;
    test(`${from} ${forward ? "moves on to" : "never goes to"} ${to}`, () => {
      const entered: Phase[] = [];
      const lifecycle = createLifecycle((phase) => entered.push(phase));
      if (i > 0) lifecycle.enter(from);
      entered.length = 0;
      assert.equal(lifecycle.enter(to), forward);
      assert.equal(lifecycle.phase, forward ? to : from);
      assert.deepEqual(entered, forward ? [to] : []);
    });
  }
}
