/**
 * `npm run fuzz -- [--runs N] [--seed S]`: the tests of bad input with N inputs to each seam, of another seed each time
 * unless one is given; then how many there were.
 */
import { globSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import { runsVariable, seedVariable, tally } from "../test/support/fuzz/fuzz.ts";
import { functionsDir } from "./discover.ts";

const root = join(functionsDir, "..");
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "2000" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  },
});
for (const [option, value] of Object.entries(values)) {
  if (/^\d{1,9}\d?$/.test(value) && Number(value) > 0) continue;
  process.stderr.write(`--${option} ${value}: a whole number above 0 is expected\n`);
  process.exit(2);
}
process.env[runsVariable] = values.runs;
process.env[seedVariable] = values.seed;

let inputs = 0;
// The types of Node do not know globalSetupPath yet.
const options = {
  files: globSync("functions/test/fuzz/*.test.ts", { cwd: root }).map((file) => join(root, file)),
  concurrency: 1,
  globalSetupPath: join(functionsDir, "test/support/services-setup.ts"),
};
run(options)
  .on("test:diagnostic", ({ message }) => {
    inputs += Number(tally.exec(message)?.[1] ?? 0);
  })
  .on("test:fail", () => {
    process.exitCode = 1;
  })
  .once("end", () => {
    process.stdout.write(`${inputs} distinct inputs, seed ${values.seed}\n`);
  })
  .compose(spec)
  .pipe(process.stdout);
