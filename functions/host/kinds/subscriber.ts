import type { IncomingHttpHeaders } from "node:http";
import { type CloudEvent, type Headers, HTTP, ValidationError } from "cloudevents";
import { HostError } from "../base/errors.ts";
import { attributesFromHttp } from "../base/headers.ts";
import { registerFunction } from "../http/exchange.ts";
import type { Definition, RouteRequest } from "./definition.ts";
import type { Entry, StoreEffect } from "./effects.ts";
import { createGreeting, greetingRoutes } from "./greeter.ts";
import { defaultMessages, maxMessages } from "./limits.ts";

/** A received event as it is kept; `id` joins source and id, which together are unique (CloudEvents 1.0). */
export interface Message extends Entry {
  readonly event: Readonly<Record<string, unknown>>;
}

export interface SubscriberOptions {
  name: string;
  greeting: string;
  /** Done with each event before it is answered. */
  effect: StoreEffect<Message>;
}

/**
 * A function that takes CloudEvents by POST / (binary or structured), and greets like the others.
 * Answers 204 (stored), 400 (this event will never be taken) or 503 (try again). It is an HTTP
 * function and not functions-framework's `cloudEvent`, which answers every failure with 500, a
 * status that Knative's source does not retry; for the same reason a fault of the event is never
 * 404 or 413, which the source would retry.
 */
export function subscriber({ name, greeting, effect }: SubscriberOptions): Definition {
  registerFunction(name);
  return {
    kind: "subscriber",
    name,
    greeting,
    calls: [],
    effects: [effect],
    async open(runtime) {
      const store = await effect.open(runtime);
      const inPath = (thrown: unknown) => {
        throw HostError.from(thrown).at(name);
      };
      const greetings = async () => [createGreeting(name, greeting)];
      return {
        greetings,
        resources: [store],
        routes: [
          ...greetingRoutes(greetings),
          {
            method: "POST",
            path: "/",
            async handle(request) {
              const event = readEvent(request);
              const message = { id: `${event.source} ${event.id}`, event: eventToJson(event) };
              await store.apply(message, request.call).catch(inPath);
              runtime.metrics?.delivered(event.time);
              return { status: 204 };
            },
          },
          {
            method: "GET",
            path: "/api/messages",
            async handle({ query, call }) {
              const messages = await store.latest(readLimit(query), call).catch(inPath);
              return { status: 200, body: { messages: messages.map(({ event }) => event) } };
            },
          },
        ],
      };
    },
  };
}

/** The event of a request, in either mode; throws ERR_BAD_REQUEST that says what is wrong with it. */
export function readEvent({ headers, body }: Pick<RouteRequest, "headers" | "body">) {
  const refuse = (why: string, cause?: unknown): never => {
    throw new HostError("ERR_BAD_REQUEST", `not a CloudEvent: ${why}`, { cause });
  };
  try {
    // The SDK makes up an id and a specversion that are missing, and each delivery would be another event.
    const sent = attributesOf(headers, body);
    if (Array.isArray(sent)) return refuse("a batch is not taken, send one event a request");
    const missing = ["specversion", "id", "source", "type"].find((name) => !sent?.[name]);
    if (missing) return refuse(`the attribute ${missing} is missing`);
    const event = HTTP.toEvent<unknown>({ headers: headers as Headers, body: body.toString() });
    // Typed by its interface, but it is the SDK's class, which can be asked whether it keeps the spec.
    const found = event as CloudEvent<unknown>;
    found.validate();
    return found;
  } catch (thrown) {
    if (thrown instanceof HostError) throw thrown;
    return refuse(describe(thrown), thrown);
  }
}

/** The attributes as they were sent: headers in binary mode, members of the body in structured mode. */
function attributesOf(headers: IncomingHttpHeaders, body: Buffer): Record<string, unknown> | null {
  if (headers["ce-specversion"] === undefined) return JSON.parse(body.toString());
  return attributesFromHttp(headers);
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof ValidationError)) return (thrown as Error).message;
  const errors = (thrown.errors ?? []) as (string | { instancePath?: string; message?: string })[];
  const details = errors.map((error) =>
    typeof error === "string" ? error : `${error.instancePath ?? ""} ${error.message}`.trim(),
  );
  return details.length > 0 ? details.join(", ") : thrown.message;
}

function eventToJson(event: CloudEvent<unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(event));
}

function readLimit(query: URLSearchParams): number {
  const text = query.get("limit");
  if (text === null) return defaultMessages;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= maxMessages) return limit;
  throw new HostError("ERR_BAD_REQUEST", `limit=${text}: 1 to ${maxMessages} is expected`);
}
