/**
 * Loaded into a function before all else: moves its Date by what the file says that CLOCK_FILE names, as a step of
 * the machine's clock would. Timers and performance.now() stay, as they do on a machine.
 */
import { readFileSync, watchFile } from "node:fs";

const file = process.env.CLOCK_FILE;
if (file) {
  let moved = 0;
  const read = () => {
    try {
      moved = Number(readFileSync(file, "utf8")) || 0;
    } catch {
      moved = 0; // not moved yet
    }
  };
  watchFile(file, { interval: 100, persistent: false }, read);
  read();
  const Original = Date;
  const now = () => Original.now() + moved;
  globalThis.Date = new Proxy(Original, {
    construct: (target, args, self) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, self),
    apply: () => new Original(now()).toString(),
    get: (target, key, self) => (key === "now" ? now : Reflect.get(target, key, self)),
  });
}
