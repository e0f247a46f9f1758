import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { publishTo, saveTo, subscriber } from "#host";
import { handler } from "#host/kinds/handler";
import { askOptions } from "./ask.ts";
import { parseNewOptions } from "./options.ts";

const functions = [
  handler({ name: "none" }),
  handler({
    name: "shop",
    on: { async x() {} },
    effects: { a: publishTo("orders"), b: publishTo("returns") },
  }),
  subscriber({ name: "log", greeting: "hello", from: "returns", effects: [saveTo("log.log")] }),
].map((definition) => ({ name: definition.name, definition }));

async function answer(lines: readonly string[], ...args: string[]) {
  const [input, output] = [new PassThrough(), new PassThrough().setEncoding("utf8")];
  const asked = askOptions(parseNewOptions(args, {}), functions, { input, output });
  for (const line of lines) input.write(`${line}\n`);
  input.end();
  const options = await asked;
  return { options, printed: String(output.read()) };
}

test("each option is asked for, and what there is to choose from is shown", async () => {
  const typed = ["POST /api/o, GET /api/o", "http:shop", "o.o,o.p", "", "orders", "y"];
  const { options, printed } = await answer(typed, "o");
  assert.deepEqual(options, {
    name: "o",
    routes: ["POST /api/o", "GET /api/o"],
    calls: ["http:shop"],
    saves: ["o.o", "o.p"],
    publishes: [],
    from: "orders",
    public: true,
    help: false,
  });
  assert.match(printed, /there is shop, log\)/);
  assert.match(printed, /orders is free/);
});

test("a name that was not given is asked for, and nothing typed is none", async () => {
  const { options } = await answer(["o", "", "", "", "", "", ""]);
  const none = { routes: [], calls: [], saves: [], publishes: [], from: undefined, public: false };
  assert.deepEqual(options, { name: "o", help: false, ...none });
});

test("an input that ends early writes nothing", async () => {
  await assert.rejects(answer(["o"]), /nothing was written/);
});
