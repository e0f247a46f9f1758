import { stopRecorded } from "./launch.ts";
import { readRecord } from "./record.ts";

/** Stops what a run of ours that was cut off left behind; returns how many services that were. */
export async function stopLeftovers(options: {
  dataDir: string;
  report(line: string): void;
}): Promise<number> {
  let count = 0;
  const where = { dataDir: options.dataDir, env: process.env };
  for (const service of readRecord(options.dataDir)) {
    if (!(await stopRecorded(where, service))) continue;
    options.report(`${service.name}: stopped the one that an earlier run left`);
    count += 1;
  }
  return count;
}
