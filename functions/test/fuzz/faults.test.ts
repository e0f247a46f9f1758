/** The header x-fault, where faults are on: it is followed as it is written, or refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseFaults } from "#host/call/faults";
import { ask } from "../support/ask.ts";
import { answerTo, assertNoInternals, assertOurs, framed } from "../support/fuzz/answers.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { bytes } from "../support/fuzz/http-headers.ts";
import { startTarget } from "../support/fuzz/target.ts";

const target = fc.constantFrom(
  ...[
    "gateway",
    "gateway",
    "service-a",
    "service-f",
    "seed",
    "service-z",
    "GATEWAY",
    "",
    "__proto__",
    "a".repeat(99),
  ],
);
const action = fc.constantFrom(
  ...[
    "503",
    "404",
    "400",
    "599",
    "delay:1ms",
    "delay:0.001s",
    "delay:0ms",
    "399",
    "600",
    "99999",
    "-1",
    "",
  ],
  ...[
    "delay:",
    "delay:-1ms",
    "delay:1e3ms",
    "delay:31s",
    "delay:999999s",
    "delay:1m",
    "delay:٣ms",
    "42",
    "abort",
  ],
  ...["4294967296", "99999999999", "0x1f4", "5 03", "503;503"],
);
const share = fc.constantFrom(
  "",
  "",
  "@50%",
  "@0%",
  "@100%",
  "@101%",
  "@-1%",
  "@NaN%",
  "@1e1%",
  "@",
  "@@50%",
  "@.5%",
);
const item = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(target, action, share).map(([t, a, s]) => `${t}=${a}${s}`) },
  { weight: 1, arbitrary: bytes },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "=",
      "gateway",
      "gateway==503",
      " gateway = 503 ",
      "seed=1",
      "seed=x",
    ),
  },
);
const header = fc
  .oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(
          fc.array(item, { minLength: 1, maxLength: 5 }),
          fc.constantFrom(",", ";", ", ", ",,", " "),
        )
        .map(([items, separator]) => items.join(separator)),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(63, 64, 65, 900)
        .map((n) => "gateway=503@0%,".repeat(n).slice(0, -1)),
    },
  )
  // As one byte each, which is how they are sent.
  .map((text) =>
    Buffer.from(text, "latin1")
      .toString("latin1")
      .replace(/(?!\t)\p{Cc}/gu, " "),
  );

const bytesOf = (text: string) => framed("GET /", [["x-fault", text]]);

test("x-fault is followed as it is written, or refused", async (context) => {
  await using gateway = await startTarget("gateway", { env: { FAULTS: "on" } });
  const refusal = await ask(gateway.port, "/", { headers: { "x-fault": "nowhere=503" } });
  const [, list = ""] = /there are ([^"]+)/.exec(refusal.json<{ detail: string }>().detail) ?? [];
  const targets = list.split(", ");
  const statusesOf = (text: string): number[] => {
    const given = text.trim();
    // What cannot travel on as gRPC's metadata is dropped at the way in, and what is too long for it.
    if (given === "" || !/^[\x20-\x7e]+$/.test(given) || given.length > 1_024) return [200];
    try {
      const mine = parseFaults(given, targets).faults.filter(({ target }) => target === "gateway");
      const injected = mine.flatMap(({ action }) =>
        action.kind === "status" ? action.status : [],
      );
      return [200, ...injected];
    } catch {
      return [400];
    }
  };
  await fuzz(context, {
    seam: "faults",
    input: header,
    bytesOf,
    async send(text) {
      const answer = await answerTo(gateway.port, bytesOf(text));
      assert.ok(statusesOf(text).includes(answer.status), `${answer.head}\n\n${answer.body}`);
      // Only a fault that was asked for is above that.
      if (answer.status <= 499) assertOurs(answer);
      else assertNoInternals(answer.body);
    },
    targets: [gateway],
    wellAfter: async () => assert.equal((await ask(gateway.port, "/")).status, 200),
  });
});
