import { prettyFactory } from "pino-pretty";

/** How a log line, one JSON object, is shown: as it is, or readable with the function's name first. */
export function createLogFormat(options: {
  json: boolean;
  color: boolean;
}): (line: string) => string {
  if (options.json) return (line) => `${line}\n`;
  return prettyFactory({
    colorize: options.color,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "service,pid,hostname",
    messageFormat: "{service} {msg}",
    singleLine: true,
  });
}
