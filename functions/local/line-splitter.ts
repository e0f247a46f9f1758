import type { Readable } from "node:stream";

/** A busy function writes a line every few milliseconds: reading each by itself took a third of the runner's CPU. */
const pauseMs = 20;
/** A writer blocks when its pipe is full, so one that has written this much is read at once. */
const plentyBytes = 8_192;

/** Calls `use` with each line of a stream of text, without its end, up to the last one, which may have none. */
export function eachLine(stream: Readable, use: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) use(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (chunk.length >= plentyBytes) return;
    stream.pause();
    setTimeout(() => stream.resume(), pauseMs);
  });
  stream.once("end", () => {
    if (rest) use(rest);
    rest = "";
  });
}
