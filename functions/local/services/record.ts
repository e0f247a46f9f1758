import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessIdentity } from "./process-table.ts";
import type { ServiceName } from "./service.ts";

/** What was started and not yet stopped, enough to end it after a crash of ours and nothing else. */
export interface RecordedService {
  name: ServiceName;
  origin: string;
  url: string;
  /** In the order they were started; in a group its leader first. */
  groups: ProcessIdentity[][];
  container?: string;
}

/** What one start learns for the next. */
export interface Remembered {
  ports?: Record<string, number>;
}

const recordFile = "services.json";
const memoryFile = "remembered.json";

// Reads and writes are synchronous: both services start at the same time and share these files.

export function readRecord(dataDir: string): RecordedService[] {
  return readJson<RecordedService[]>(join(dataDir, recordFile)) ?? [];
}

/** Adds a service, or replaces what was recorded of it. */
export function record(dataDir: string, service: RecordedService): void {
  const others = readRecord(dataDir).filter((other) => other.name !== service.name);
  writeJson(join(dataDir, recordFile), [...others, service]);
}

export function forget(dataDir: string, name: ServiceName): void {
  const others = readRecord(dataDir).filter((other) => other.name !== name);
  if (others.length > 0) writeJson(join(dataDir, recordFile), others);
  else rmSync(join(dataDir, recordFile), { force: true });
}

export function recallPort(dataDir: string, use: string): number | undefined {
  return readJson<Remembered>(join(dataDir, memoryFile))?.ports?.[use];
}

export function rememberPort(dataDir: string, use: string, port: number): void {
  const memory = readJson<Remembered>(join(dataDir, memoryFile)) ?? {};
  memory.ports = { ...memory.ports, [use]: port };
  writeJson(join(dataDir, memoryFile), memory);
}

/** Undefined when the file is absent or cut short: both mean that nothing is known. */
export function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch {
    return undefined;
  }
}

/** Whole or not at all: a reader never sees half a file. */
export function writeJson(file: string, value: unknown): void {
  mkdirSync(join(file, ".."), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
