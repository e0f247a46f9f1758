import { linkSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "./services/process-table.ts";
import { readJson, writeJson } from "./services/record.ts";

/** What runs on a data folder: a lock against a second start, and where to find the functions. */
export interface RunRecord extends ProcessIdentity {
  gateway: number;
  /** Once all are ready: the port of each function. */
  addresses?: Record<string, number>;
  /** Its URL, which may hold a password: the file is for its owner only. */
  rabbitmq?: string;
}

export interface RunClaim {
  publish(addresses: ReadonlyMap<string, number>, rabbitmq: string): void;
  release(): void;
}

export class AlreadyRunningError extends Error {
  override readonly name = "AlreadyRunningError";

  constructor({ pid, gateway, addresses }: RunRecord) {
    const phase = addresses ? "is running" : "is starting";
    super(
      `The graph ${phase} already: http://localhost:${gateway} (pid ${pid}). ` +
        `End it with Ctrl-C where it was started, or with: kill ${pid}`,
    );
  }
}

/** Undefined when nothing runs; what a killed run left behind counts as nothing. */
export function readRun(dataDir: string): RunRecord | undefined {
  const record = readJson<RunRecord>(fileOf(dataDir));
  return record && isAlive(record) ? record : undefined;
}

/** Takes the data folder for this process; throws AlreadyRunningError when another has it. */
export function claimRun(dataDir: string, gateway: number): RunClaim {
  const self = identify(process.pid);
  if (self === undefined) throw new Error("this process is not in the process table");
  const record: RunRecord = { ...self, gateway };
  mkdirSync(dataDir, { recursive: true });
  const draft = join(dataDir, `run.${process.pid}.json`);
  writeFileSync(draft, JSON.stringify(record));
  try {
    while (!linkedTo(draft, fileOf(dataDir))) {
      const other = readRun(dataDir);
      if (other) throw new AlreadyRunningError(other);
      rmSync(fileOf(dataDir), { force: true });
    }
  } finally {
    rmSync(draft);
  }
  return {
    publish: (addresses, rabbitmq) =>
      writeJson(fileOf(dataDir), { ...record, addresses: Object.fromEntries(addresses), rabbitmq }),
    release: () => rmSync(fileOf(dataDir), { force: true }),
  };
}

/** A link, not a write: it fails when the file is there, and a reader never sees half of it. */
function linkedTo(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function fileOf(dataDir: string): string {
  return join(dataDir, "run.json");
}
