/**
 * The paths at which the page is answered live, declared once: the page asks them of `ui`, `ui` passes them on to the
 * local run or answers those that a cluster can, and the local run answers them all.
 */
export interface LivePath {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Changes something or shows logs: refused to pages of other sites. */
  readonly guarded?: true;
}

export const livePaths = {
  graph: { method: "GET", path: "/api/graph/live" },
  events: { method: "GET", path: "/api/graph/events" },
  traces: { method: "GET", path: "/api/traces" },
  trace: { method: "GET", path: "/api/traces/{traceId}" },
  stop: { method: "POST", path: "/api/functions/{name}/stop", guarded: true },
  start: { method: "POST", path: "/api/functions/{name}/start", guarded: true },
  deadLetters: { method: "GET", path: "/api/live/dead-letters", guarded: true },
  retryDeadLetters: { method: "POST", path: "/api/live/dead-letters/retry", guarded: true },
  logs: { method: "GET", path: "/api/functions/{name}/logs", guarded: true },
} as const satisfies Record<string, LivePath>;

export type LiveName = keyof typeof livePaths;

export const liveNames = Object.keys(livePaths) as readonly LiveName[];

/** The path with its parameters filled in, percent-encoded. */
export function livePath(
  name: LiveName,
  parameters: Readonly<Record<string, string>> = {},
): string {
  return livePaths[name].path.replace(/\{(\w+)\}/g, (_, parameter) =>
    encodeURIComponent(parameters[parameter] ?? ""),
  );
}
