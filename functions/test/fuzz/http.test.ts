/** HTTP/1.1, byte by byte, against the subscriber: it takes events, has a database, and answers what it has stored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "../support/ask.ts";
import { answersIn, assertOurs, exchange } from "../support/fuzz/answers.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { packetsOf, rawRequest } from "../support/fuzz/http-requests.ts";
import { startTarget } from "../support/fuzz/target.ts";
import { useDatabase } from "../support/services.ts";

test("whatever bytes come, a function answers as HTTP wants it, or closes", async (context) => {
  await using target = await startTarget("service-f", {
    env: { MONGODB_URL: await useDatabase(), FAULTS: "on", LOG_LEVEL_HEADER: "on" },
  });
  await fuzz(context, {
    seam: "http",
    input: rawRequest,
    bytesOf: (request) => Buffer.concat(packetsOf(request)),
    async send(request) {
      const answers = answersIn(await exchange(target.port, packetsOf(request)));
      for (const answer of answers) assertOurs(answer, request.method === "HEAD");
    },
    targets: [target],
    async wellAfter() {
      const { greeting } = (await ask(target.port, "/api/greeting")).json<{ greeting: object[] }>();
      assert.equal(greeting.length, 1);
    },
  });
});
