export interface StopSignals {
  /** Aborts when everything is to be stopped in order. */
  stop: AbortSignal;
  /** Aborts when the person insists: everything is to end at once. */
  kill: AbortSignal;
}

/**
 * One Ctrl-C may arrive more than once, from the terminal and from npm, which passes on what it
 * gets itself: only what comes later than this is a second one.
 */
const sameMs = 1_000;

/** Turns every way in which we can be asked to end into two signals. */
export function listenForStop(): StopSignals {
  const stop = new AbortController();
  const kill = new AbortController();
  let since = 0;
  const asked = (how: string) => {
    if (!stop.signal.aborted) {
      since = performance.now();
      stop.abort(new Error(`stopped by ${how}`));
    } else if (performance.now() - since > sameMs) kill.abort();
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => asked(name));
  // Sent when the wrapper that started us on another Node dies without a word.
  process.once("disconnect", () => asked("the end of its parent"));
  // A terminal or a pipe that was closed has no reader, and writing to it must not crash us.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => {
      if (!stop.signal.aborted) asked("the end of its output");
    });
  }
  return { stop: stop.signal, kill: kill.signal };
}
