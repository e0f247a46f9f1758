import assert from "node:assert/strict";
import { test } from "node:test";
import { loadFunctions } from "../discover.ts";
import { UsageError } from "../options.ts";
import { parseNewOptions } from "./options.ts";
import { planFunction } from "./plan.ts";

const refused: readonly (readonly [args: readonly string[], ...says: string[]])[] = [
  [["Orders"], 'name "Orders": lower-case letters'],
  [["../x"], 'name "../x": lower-case letters'],
  [["host"], 'name "host": functions/host is not a function'],
  [["chaos"], 'name "chaos": functions/chaos is not a function'],
  [["mongodb"], 'name "mongodb": a cluster\'s own mongodb has it'],
  [["service-a"], 'name "service-a": functions/service-a is there already'],
  [["a", "b"], "One name is expected"],
  [["a", "--nothing"], "--nothing"],
  [["a", "--calls", "grpc:a"], 'calls "a": that is itself'],
  [["a", "--calls", "http:bridge"], 'calls http("bridge"), which answers no request'],
  [["a", "--calls", "http:service-c,grpc:service-c"], 'calls "service-c" twice'],
  [["a", "--route", "GET /x", "--route", "GET /x"], '--route "GET /x" is given twice'],
  [["a", "--route", "GET /x/{a}", "--route", "GET /x/{b}"], 'routes "GET /x/{}": there are two'],
  [["a", "--from", "service-d"], 'from "service-d": service-f consumes this queue too'],
  [
    [
      ...["Orders", "--calls", "service-g", "--calls", "grpc:servce-g", "--saves", "orders"],
      ...["--publishes", "Q", "--from", "servic-d", "--route", "PST /x", "--route", "GET /healthz"],
    ],
    'name "Orders": lower-case letters',
    '--calls "service-g": http:NAME or grpc:NAME is expected',
    'calls "servce-g", which is not a function: did you mean service-g?',
    'saveTo("orders"): database.collection is expected',
    'publishTo("Q"): lower-case letters',
    'from "servic-d": no function publishes to this queue (did you mean service-d?)',
    'routes "PST /x": a method and a path are expected',
    'routes "GET /healthz": /healthz is the host\'s own',
  ],
];

const functions = await loadFunctions();

for (const [args, ...says] of refused) {
  test(`refuses ${args.join(" ")}`, async () => {
    const plan = async () => planFunction(parseNewOptions([...args], {}), functions);
    await assert.rejects(plan, ({ name, message }: Error) => {
      assert.equal(name, UsageError.name, message);
      for (const text of says) assert.ok(message.includes(text), message);
      if (message.startsWith("Nothing was written")) {
        assert.equal(message.match(/^- /gm)?.length, says.length, message);
      }
      return true;
    });
  });
}
