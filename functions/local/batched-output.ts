import type { Writable } from "node:stream";

const waitMs = 20;

/** Writes what comes within a moment at once: one system call for each line of a log costs more than the lines. */
export function batchedOutput(stream: Writable): {
  write(text: string): void;
  /** Before anything else is written to the same place, and before the process ends. */
  flush(): void;
} {
  let waiting = "";
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting) stream.write(waiting);
    waiting = "";
  };
  return {
    write(text) {
      waiting += text;
      timer ??= setTimeout(flush, waitMs);
    },
    flush,
  };
}
