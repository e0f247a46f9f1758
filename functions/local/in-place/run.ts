/**
 * What a container of the Dockerfile's development stage runs: the function that FUNCTION_TARGET names, started again
 * in place when skaffold's profile sync carries a file into functions/. No image outside that stage holds it.
 */
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { watchFolder } from "../folder-watcher.ts";
import { startInPlace } from "./in-place.ts";

const functions = fileURLToPath(new URL("../..", import.meta.url));

/** A line as the function's own logger writes it. */
const report = (level: number) => (line: string) => {
  const fields = { level, time: Date.now(), service: process.env.FUNCTION_TARGET, msg: line };
  process.stdout.write(`${JSON.stringify(fields)}\n`);
};

const inPlace = startInPlace({
  entry: join(functions, "host/main.ts"),
  report: report(30),
  failed: (exitCode) => process.exit(exitCode),
});
const watcher = watchFolder(functions, (files) => {
  const [first = "", ...others] = [...files].map((file) => relative(join(functions, ".."), file));
  inPlace.restart(`${first}${others.length > 0 ? ` and ${others.length} more` : ""} was saved`);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, async () => {
    watcher.close();
    await inPlace.stop();
    process.exit(0);
  });
}
