/** Which functions run with Node's inspector, and where; nothing here without `--inspect`. */
import { freePort, isFree } from "./ports.ts";
import { variable } from "./services/service.ts";

/** Node's own, where debuggers look first. */
export const firstInspectPort = 9229;

/** The longest that a deadline may be: a pause at a breakpoint is part of the request. */
const longestPauseMs = 3_600_000;

/**
 * A port for each of these functions: from 9229 up, those that are free and none of the graph's own. `anyPort` takes
 * any others, for graphs that run beside each other; in one process there is one.
 */
export async function assignInspectors(
  functions: readonly string[],
  options: { taken: readonly number[]; anyPort: boolean; oneProcess: boolean },
): Promise<ReadonlyMap<string, number>> {
  let next = firstInspectPort;
  const nextFree = async (): Promise<number> => {
    const port = options.anyPort ? await freePort() : next++;
    return options.taken.includes(port) || !(await isFree(port)) ? nextFree() : port;
  };
  const ports = new Map<string, number>();
  for (const name of functions) {
    const shared = options.oneProcess ? ports.values().next().value : undefined;
    ports.set(name, shared ?? (await nextFree()));
  }
  return ports;
}

/** What every function gets while one may be paused: its callers wait, too. A deadline of the person's own stays. */
export function pausableEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { DEADLINE_MS: variable(env, "DEADLINE_MS") ?? String(longestPauseMs) };
}
