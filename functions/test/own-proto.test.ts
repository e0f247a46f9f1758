/** A gRPC service of one's own: from a .proto file to a function that answers it, as a person makes one. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { freePort } from "../local/ports.ts";
import { makeClone } from "./support/clone.ts";
import { reflect } from "./support/reflect.ts";
import { runNode } from "./support/run-function.ts";
import { until } from "./support/until.ts";

const proto = `syntax = "proto3";

// Clocks.
package clocks;

import "google/protobuf/timestamp.proto";

// Asks for a clock.
message ReadRequest {
  // Which one.
  string name = 1;
}

// What it shows.
message ReadResponse {
  // The time.
  google.protobuf.Timestamp at = 1;
}

// Keeps clocks.
service ClocksService {
  // Reads one.
  rpc Read(ReadRequest) returns (ReadResponse);
}
`;

const index = `import { handler } from "#host";
import { ClocksServiceService } from "#proto/clocks";

export default handler({
  name: "clocks",
  grpc: [
    {
      service: ClocksServiceService,
      methods: { read: async ({ name }) => ({ at: new Date(Number(name)) }) },
    },
  ],
});
`;

/** Run in the clone: calls the service by what was generated. */
const ask = `import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { ClocksServiceService } from "#proto/clocks";

const Client = makeGenericClientConstructor(ClocksServiceService, "clocks.ClocksService");
const client = new Client(process.argv[2], credentials.createInsecure());
client.read({ name: "86400000" }, (error, response) => {
  console.log(error?.message ?? response.at.toISOString());
  client.close();
});
`;

test("a .proto file becomes a service that answers, and that reflection describes with what it imports", async () => {
  await using clone = await makeClone();
  mkdirSync(join(clone.folder, "functions/clocks"));
  writeFileSync(join(clone.folder, "proto/clocks.proto"), proto);
  writeFileSync(join(clone.folder, "functions/clocks/index.ts"), index);
  writeFileSync(join(clone.folder, "functions/clocks/ask.ts"), ask);
  const generated = clone.run("generate");
  assert.equal(await generated.ended, 0, generated.printed());

  const port = await freePort();
  const main = join(clone.folder, "functions/host/main.ts");
  await using run = runNode([main], { FUNCTION_TARGET: "clocks", PORT: String(port) });
  await until("it listens", () => run.stdout().includes("listening on port"));
  const asking = join(clone.folder, "functions/clocks/ask.ts");
  await using answer = runNode([asking, `127.0.0.1:${port}`]);
  assert.equal(await answer.exit, 0, answer.stderr());
  assert.equal(answer.stdout().trim(), "1970-01-02T00:00:00.000Z");

  const symbol = { fileContainingSymbol: "clocks.ClocksService" };
  const [list, file] = await reflect(port, [{ listServices: "" }, symbol]);
  assert.deepEqual(
    list?.listServicesResponse?.service?.map(({ name }) => name),
    ["clocks.ClocksService"],
  );
  const files = file?.fileDescriptorResponse?.fileDescriptorProto ?? [];
  const all = Buffer.concat(files).toString("latin1");
  assert.match(all, /\.google\.protobuf\.Timestamp/);
  assert.match(all, /google\/protobuf\/timestamp\.proto/);
});
