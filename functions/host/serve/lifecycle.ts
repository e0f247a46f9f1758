/**
 * The phases of a host. They only ever go forward:
 *
 *   starting -> ready -> draining -> closed
 */
const order = ["starting", "ready", "draining", "closed"] as const;

export type Phase = (typeof order)[number];

export interface Lifecycle {
  readonly phase: Phase;
  /** Moves forward; a phase that has passed already is left alone. Returns whether it moved. */
  enter(phase: Phase): boolean;
}

export function createLifecycle(onEnter: (phase: Phase) => void): Lifecycle {
  let phase: Phase = "starting";
  return {
    get phase() {
      return phase;
    },
    enter(next) {
      if (order.indexOf(next) <= order.indexOf(phase)) return false;
      phase = next;
      onEnter(next);
      return true;
    },
  };
}
