export interface RequestedFault {
  readonly target: string;
  /** "503", or "delay:800ms". */
  readonly action: string;
  /** From 1 to 100. */
  readonly percent: number;
}

/** The header x-fault that asks for these; undefined for none. */
export function faultHeader(
  faults: readonly RequestedFault[],
  seed: number | undefined,
): string | undefined {
  if (faults.length === 0) return undefined;
  const items = faults.map(({ target, action, percent }) =>
    percent === 100 ? `${target}=${action}` : `${target}=${action}@${percent}%`,
  );
  return [...items, ...(seed === undefined ? [] : [`seed=${seed}`])].join(", ");
}

/** A fault in words. */
export function describeFault({ target, action, percent }: RequestedFault): string {
  const what = action.startsWith("delay:") ? `waits ${action.slice(6)}` : `fails with ${action}`;
  return percent === 100 ? `${target} ${what}` : `${target} ${what}, in ${percent}% of requests`;
}
