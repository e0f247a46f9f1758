import { createRequire } from "node:module";

/** What an access line's message says in words, and ids that a person needs the JSON for. The trace's stays. */
const shownAlready = [
  "service",
  "route",
  "protocol",
  "status",
  "durationMs",
  "bytes",
  "coldStart",
  "requestId",
  "span_id",
  "pid",
  "hostname",
];

/** How a log line, one JSON object, is shown: as it is, or readable with the function's name first. */
export function createLogFormat(options: {
  json: boolean;
  color: boolean;
}): (line: string) => string {
  if (options.json) return (line) => `${line}\n`;
  let pretty: ((line: string) => string) | undefined;
  return (line) => {
    const shown = plainLine(line, options.color);
    if (shown !== undefined) return shown;
    pretty ??= createPretty(options.color);
    return pretty(line);
  };
}

/** Loaded for the first line that needs it: the others take a tenth of its time, and there are ten for each request. */
function createPretty(colorize: boolean): (line: string) => string {
  const require = createRequire(import.meta.url);
  const { prettyFactory } = require("pino-pretty") as typeof import("pino-pretty");
  return prettyFactory({
    colorize,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: shownAlready.join(),
    messageFormat: "{service} {msg}",
    singleLine: true,
  });
}

const levels: Readonly<Record<number, readonly [name: string, begin: number, end: number]>> = {
  10: ["TRACE", 90, 39],
  20: ["DEBUG", 34, 39],
  30: ["INFO", 32, 39],
  40: ["WARN", 33, 39],
  50: ["ERROR", 31, 39],
};

/** As pino-pretty shows it; undefined for a line with an error in it, and for what the logger does not write. */
function plainLine(line: string, color: boolean): string | undefined {
  const parsed = parse(line);
  if (!parsed) return undefined;
  const { level, time, msg, ...rest } = parsed;
  const shown = levels[Number(level)];
  const plain = !("err" in rest || "error" in rest || "type" in rest);
  if (!plain || !shown || typeof time !== "number" || typeof msg !== "string") return undefined;
  const { service } = rest;
  if (typeof service !== "string") return undefined;
  for (const key of shownAlready) delete rest[key];
  const more = JSON.stringify(rest);
  const paint = (text: string, begin: number, end: number) =>
    color ? `\x1b[${begin}m${text}\x1b[${end}m` : text;
  const said = paint(`${service} ${msg}`, 36, 39);
  const tail = more === "{}" ? "" : ` ${paint(more, 90, 39)}`;
  return `[${clock(time)}] ${paint(...shown)}: ${said}${tail}\n`;
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) ?? undefined;
  } catch {
    return undefined;
  }
}

/** This machine's time of day. */
function clock(time: number): string {
  const at = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(at.getMilliseconds()).padStart(3, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}
