/** `npm run new`, in a clone: what it writes for each combination of options, and what it refuses. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Clone, commitAll, makeClone } from "./support/clone.ts";

/** Name and options; later ones call and consume what earlier ones offer. */
const combinations: readonly (readonly string[])[] = [
  ["bare"],
  ["read", "--route", "GET /api/read", "--public"],
  ["read-of-one", "--route", "GET /api/read/{from}/{id}"],
  ["take", "--route", "POST /api/take"],
  ["take-and-call", "--route", "POST /api/take", "--calls", "http:service-c"],
  ["delete", "--saves", "new.delete", "--publishes", "q1"],
  ["call-tree", "--route", "GET /api/tree", "--calls", "grpc:service-a"],
  ["call-own", "--route", "POST /api/own", "--calls", "http:delete,http:bare", "--public"],
  ["call-own-read", "--route", "GET /api/own", "--calls", "http:delete"],
  ["call-one", "--route", "POST /api/one", "--calls", "http:read-of-one"],
  ["call-stock", "--route", "POST /api/one", "--calls", "grpc:stock"],
  [
    ...["many", "--route", "POST /api/many", "--calls", "grpc:service-g,http:service-c"],
    ...[
      "--saves",
      "new.many,old.many",
      "--saves",
      "new.other",
      "--publishes",
      "q2,q3.x",
      "--public",
    ],
  ],
  [
    ...["change", "--route", "PUT /api/change/{id}", "--route", "PATCH /api/change/{key}"],
    ...["--route", "GET /api/change", "--route", "GET /api/change/{key}", "--saves", "new.change"],
    ...["--route", "DELETE /api/change/{id}", "--publishes", "q4"],
  ],
  ["lines", "--route", "POST /api/lines/{order}", "--saves", "new.lines"],
  ["saved", "--route", "GET /api/saved", "--saves", "new.saved", "--calls", "http:service-c"],
  ["seen", "--route", "GET /api/seen/{id}", "--publishes", "q5"],
  ["gone", "--route", "DELETE /api/gone/{id}", "--publishes", "q6", "--calls", "grpc:service-c"],
  ["circle", "--publishes", "circle", "--from", "circle", "--saves", "new.circle"],
  ["event-saved", "--from", "q1", "--saves", "new.events"],
  ["event-logged", "--from", "q2", "--calls", "http:service-c"],
  ["event-on", "--from", "q3.x", "--publishes", "q7", "--calls", "grpc:service-g,http:delete"],
  [
    ...["event-and-route", "--from", "q4", "--route", "POST /api/both", "--saves", "new.both"],
    ...["--publishes", "q8", "--calls", "grpc:service-g"],
  ],
];

/** Those whose own tests are run: together they have every kind of step. */
const tested = [...["call-tree", "call-own", "many", "change", "event-on", "event-and-route"]];

const stockProto = `syntax = "proto3";
package stock;
message Request { string item = 1; }
message Answer { uint32 left = 1; }
service StockService { rpc Take(Request) returns (Answer); }
`;

const stock = `import { handler } from "#host";
import { StockServiceService } from "#proto/stock";

export default handler({
  name: "stock",
  grpc: [{ service: StockServiceService, methods: { take: async () => ({ left: 1 }) } }],
});
`;

const refused: readonly (readonly [args: readonly string[], ...says: string[]])[] = [
  [[], "a name is missing"],
  [["Orders"], 'name "Orders": lower-case letters'],
  [["../x"], 'name "../x": lower-case letters'],
  [["host"], 'name "host": functions/host is not a function'],
  [["chaos"], 'name "chaos": functions/chaos is not a function'],
  [["mongodb"], 'name "mongodb": a cluster\'s own mongodb has it'],
  [["service-d-source"], "service-d-source", "choose another name", "was removed again"],
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

describe("npm run new", () => {
  let clone: Clone;
  const status = () => clone.exec("git", "status", "--porcelain");

  before(async () => {
    clone = await makeClone();
    commitAll(clone);
  });
  after(() => clone?.[Symbol.asyncDispose]());

  for (const [args, ...says] of refused) {
    test(`refuses ${args.join(" ") || "no name"}`, async () => {
      const command = clone.run("new", ...args);
      assert.equal(await command.ended, 2, command.printed());
      const printed = command.printed();
      for (const text of says) assert.ok(printed.includes(text), printed);
      if (printed.startsWith("Nothing was written")) {
        assert.equal(printed.match(/^- /gm)?.length, says.length, printed);
      }
      assert.equal(status(), "");
    });
  }

  test("says what to type when npm has taken its options", async () => {
    const command = clone.run("new", "a", "POST /x");
    assert.equal(await command.ended, 2);
    clone.exec(
      "env",
      "npm_config_route=true",
      "sh",
      "-c",
      "! npm run --silent new a 'POST /x' 2>said",
    );
    const said = readFileSync(join(clone.folder, "said"), "utf8");
    rmSync(join(clone.folder, "said"));
    assert.match(said, /npm took --route as its own.*\n {2}npm run new -- /);
    assert.equal(status(), "");
  });

  test("refuses to write beside a declaration that is broken, as every other command does", async () => {
    const folder = join(clone.folder, "functions/broken");
    mkdirSync(folder);
    writeFileSync(join(folder, "index.ts"), `import "node:fs";\nimport "./gone.ts";\n`);
    for (const command of [clone.run("new", "a"), clone.run("generate"), clone.run("start")]) {
      assert.equal(await command.ended, 2, command.printed());
      assert.match(command.printed(), /^functions\/broken\/index\.ts:2: Cannot find module/m);
    }
    rmSync(folder, { recursive: true });
    assert.equal(status(), "");
  });

  test("writes what passes format, lint, types and its own tests as it is, for every combination", () => {
    writeFileSync(join(clone.folder, "proto/stock.proto"), stockProto);
    clone.exec(process.execPath, "functions/local/generate/generate.ts");
    mkdirSync(join(clone.folder, "functions/stock"));
    writeFileSync(join(clone.folder, "functions/stock/index.ts"), stock);
    const script = "functions/test/support/new-functions.ts";
    clone.exec(process.execPath, script, JSON.stringify(combinations));

    const folders = combinations.map(([name]) => `functions/${name}`);
    clone.exec("biome", "ci", ...folders);
    const settings = { extends: "./tsconfig.json", include: folders };
    writeFileSync(join(clone.folder, "tsconfig.new.json"), JSON.stringify(settings));
    clone.exec("tsc", "--project", "tsconfig.new.json");
    for (const folder of folders) {
      const lines =
        readFileSync(join(clone.folder, folder, "index.ts"), "utf8").split("\n").length - 1;
      const isLarge = /many|change|event-and-route|circle/.test(folder);
      assert.ok(lines >= 10 && lines <= (isLarge ? 60 : 30), `${folder} takes ${lines} lines`);
    }
    const tests = tested.map((name) => `functions/${name}/index.test.ts`);
    clone.exec(process.execPath, "functions/local/run.mjs", "test", ...tests);
    clone.exec("git", "clean", "--force", "-d", "--quiet");
    clone.exec("git", "checkout", "--quiet", ".");
  });
});
