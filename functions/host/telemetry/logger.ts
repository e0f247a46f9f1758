import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";
import type { PropagatedHeaders } from "../base/headers.ts";
import type { IncomingTrace } from "./trace-context.ts";

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
  // Not pino's own destination, which at exit tries for ever to write to a pipe without a reader.
  return pino(settings, options.destination ?? process.stdout);
}

/**
 * The logger of one request, whose lines say which it is and, by OpenTelemetry's names for logs
 * (https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/), which trace it is of.
 * `x-log-level` among the headers makes it say more, never less.
 */
export function logOf(
  log: Logger,
  headers: PropagatedHeaders,
  trace: IncomingTrace["parent"],
): Logger {
  const bindings = {
    requestId: headers["x-request-id"],
    ...(trace && { trace_id: trace.traceId, span_id: trace.spanId }),
  };
  const asked = headers["x-log-level"] ?? "";
  const more = (log.levels.values[asked] ?? Number.POSITIVE_INFINITY) < (log.levelVal as number);
  return log.child(bindings, more ? { level: asked } : {});
}

/**
 * A connection string as it may be shown. It may be a wrong one, so all up to the last @ counts as the password, a
 * blank or a slash included, with the scheme and without.
 */
export function withoutPassword(url: string): string {
  return url
    .replace(/^([^:/@]*:\/+[^:@]*|(?![^:/@]*:\/)[^:@]*):[\s\S]*@/, "$1:***@")
    .replace(/([?&][^=&]*(?:password|secret|token|mechanismproperties)[^=&]*=)[^&]*/gi, "$1***");
}
