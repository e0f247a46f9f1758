import { prettyFactory } from "pino-pretty";

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
];

/** How a log line, one JSON object, is shown: as it is, or readable with the function's name first. */
export function createLogFormat(options: {
  json: boolean;
  color: boolean;
}): (line: string) => string {
  if (options.json) return (line) => `${line}\n`;
  return prettyFactory({
    colorize: options.color,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: [...shownAlready, "pid", "hostname"].join(),
    messageFormat: "{service} {msg}",
    singleLine: true,
  });
}
