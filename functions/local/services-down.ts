/** `npm run services:down`: stops a broker or database that a run which was cut off left behind. */
import { localDir } from "./discover.ts";
import { AlreadyRunningError, readRun } from "./run-record.ts";
import { stopLeftovers } from "./services/down.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);
const running = readRun(localDir);
if (running) {
  process.stderr.write(`${new AlreadyRunningError(running).message}\n`);
  process.exit(1);
}
const count = await stopLeftovers({ dataDir: localDir, report: say });
if (count === 0) say("Nothing was left behind.");
