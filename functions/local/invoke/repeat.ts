import type { PropagatedHeaders } from "#host/base/headers";
import type { Caller } from "./calls.ts";

/** The headers of call number `call`, from 1. */
export type HeadersOf = (call: number) => PropagatedHeaders;

/**
 * Prints each answer on stdout, one line each when there are several, and a summary on stderr; of a single one
 * that failed, its status is there. Resolves to the exit code: 0 when every call succeeded.
 */
export async function repeat(caller: Caller, times: number, headersOf: HeadersOf): Promise<number> {
  const durations: number[] = [];
  let failed = 0;
  for (let number = 1; number <= times; number += 1) {
    const since = performance.now();
    const { ok, text, status } = await caller.call(headersOf(number));
    durations.push(performance.now() - since);
    if (!ok) failed += 1;
    if (!ok && times === 1 && status && status !== text) process.stderr.write(`${status}\n`);
    process.stdout.write(`${format(text, times === 1)}\n`);
  }
  if (times > 1) process.stderr.write(`${summary(durations, failed)}\n`);
  return failed === 0 ? 0 : 1;
}

function format(text: string, indent: boolean): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, indent ? 2 : 0);
  } catch {
    return text;
  }
}

function summary(durations: readonly number[], failed: number): string {
  const sorted = durations.toSorted((a, b) => a - b);
  const at = (share: number) =>
    `${(sorted[Math.round((sorted.length - 1) * share)] ?? 0).toFixed(1)} ms`;
  return (
    `${sorted.length} calls, ${failed} failed: ` +
    `fastest ${at(0)}, median ${at(0.5)}, 95 % within ${at(0.95)}, slowest ${at(1)}`
  );
}
