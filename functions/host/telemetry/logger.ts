import { type DestinationStream, type Logger as PinoLogger, pino, stdSerializers } from "pino";
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
    // Not pino's redact, which copies every object of every line: it took four fifths of an access line's time.
    formatters: { log: mask },
    serializers: { err: (thrown: unknown) => maskParts(stdSerializers.err(thrown as Error)) },
  };
  // Not pino's own destination, which at exit tries for ever to write to a pipe without a reader.
  return pino(settings, options.destination ?? process.stdout);
}

const secrets = ["password", "url", "uri", "authorization"];
const redact = { paths: secrets.map((name) => `*.${name}`), censor: "***" };

/** What is logged, with `***` for the parts of its values that could hold a password. */
function mask(logged: Record<string, unknown>): Record<string, unknown> {
  let masked = logged;
  for (const name in logged) {
    const value = logged[name];
    if (typeof value !== "object" || value === null) continue;
    const parts = maskParts(value);
    if (parts !== value) masked = { ...masked, [name]: parts };
  }
  return masked;
}

function maskParts<T extends object>(value: T): T {
  // The serializer sees to its own.
  if (value instanceof Error) return value;
  const found = secrets.filter((name) => Object.hasOwn(value, name));
  if (found.length === 0) return value;
  return { ...value, ...Object.fromEntries(found.map((name) => [name, "***"])) };
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
  const bindings = bindingsOf(headers, trace);
  const asked = headers["x-log-level"] ?? "";
  const more = (log.levels.values[asked] ?? Number.POSITIVE_INFINITY) < (log.levelVal as number);
  // A handler may bind anything, which no formatter sees.
  return log.child(bindings, { redact, ...(more && { level: asked }) });
}

/** Which request a line is of. */
export function bindingsOf(headers: PropagatedHeaders, trace: IncomingTrace["parent"]) {
  return {
    requestId: headers["x-request-id"],
    ...(trace && { trace_id: trace.traceId, span_id: trace.spanId }),
  };
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
