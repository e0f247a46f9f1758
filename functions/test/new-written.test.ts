/** What `npm run new` writes for each combination of options, in a clone. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { commitAll, makeClone } from "./support/clone.ts";

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

test("npm run new writes what passes format, lint, types and its own tests as it is, for every combination", async () => {
  await using clone = await makeClone();
  commitAll(clone);
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
});
