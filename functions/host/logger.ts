import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";

export type Logger = PinoLogger;

/**
 * One JSON object per line on stdout: level, time (ms since the epoch), service, msg, and `err`
 * under its own key. Values that could hold a password are masked by name.
 */
export function createLogger(options: {
  service: string;
  level: string;
  destination?: DestinationStream;
}): Logger {
  const settings = {
    level: options.level,
    base: { service: options.service },
    redact: { paths: ["*.password", "*.url", "*.uri", "*.authorization"], censor: "***" },
  };
  // Not pino's own destination, which at exit tries for ever to write to a pipe that nobody reads.
  return pino(settings, options.destination ?? process.stdout);
}

/** A connection string as it may be shown: without its password. */
export function withoutPassword(url: string): string {
  return url.replace(/(:\/\/[^:/@\s]*):[^@\s]*@/, "$1:***@");
}
