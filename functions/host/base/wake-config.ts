import { namePattern } from "./addresses.ts";

/** The path that wakes a function: GET, answered without work. Policies let exactly this through. */
export const wakePath = "/wake";

/** What each function leads to by calls, and each queue ("rabbitmq:QUEUE") by its consumers. */
export type WakeGraph = Readonly<Record<string, readonly string[]>>;

export interface WakeConfig {
  readonly graph: WakeGraph;
  /** How long a function must be silent before it counts as one that may be at zero. */
  readonly idleMs: number;
}

const queuePattern = /^rabbitmq:[a-z\d.-]+$/;

/** Undefined where nothing is to be woken. `wrong` gets what is expected of text that is no such graph. */
export function readWake(
  text: string | undefined,
  idleMs: number,
  wrong: (expected: string) => void,
): WakeConfig | undefined {
  if (text === undefined) return undefined;
  const graph = parseGraph(text);
  if (!graph)
    wrong('lists of functions by function or queue are expected: {"service-a":["service-b"]}');
  const isAny = graph && Object.keys(graph).length > 0;
  return isAny && idleMs > 0 ? { graph, idleMs } : undefined;
}

/** Every function that it names. */
export function functionsIn(graph: WakeGraph): Set<string> {
  const names = Object.entries(graph).flat(2);
  return new Set(names.filter((name) => namePattern.test(name)));
}

function parseGraph(text: string): WakeGraph | undefined {
  try {
    const json: unknown = JSON.parse(text);
    const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
    return isObject && Object.entries(json).every(isEntry) ? (json as WakeGraph) : undefined;
  } catch {
    return undefined;
  }
}

function isEntry([key, names]: [string, unknown]): boolean {
  const isName = (name: unknown) => typeof name === "string" && namePattern.test(name);
  const isKey = namePattern.test(key) || queuePattern.test(key);
  return isKey && Array.isArray(names) && names.every(isName);
}
