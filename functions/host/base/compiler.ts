import { setFlagsFromString } from "node:v8";

/**
 * From here on V8 compiles what is hot by its last compiler alone, and sooner. Of the graphs that the one in between,
 * Maglev, makes of some hundred functions at once, malloc keeps 20 to 30 MiB for good (functions/README.md, "Start and
 * memory"). On the command line the same flags would cost 25 ms of each start: Node does not read its own compiled
 * modules with flags that it was not built with.
 */
export function leaveOutMaglev(): void {
  setFlagsFromString("--no-maglev");
  // In place of 3,000, of which Maglev's code would have carried most.
  setFlagsFromString("--invocation-count-for-turbofan=600");
}
