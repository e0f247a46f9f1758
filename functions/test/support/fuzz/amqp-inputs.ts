/** Messages of AMQP 0-9-1: headers of every type that a table can hold, properties, and bodies. */
import fc from "fast-check";
import type { QueueMessage } from "../event-graph.ts";
import { attributes, content, contentType, encoding, structured } from "./events.ts";
import { anyText, bytes } from "./http-headers.ts";

/** amqplib's way to name a type of the protocol. */
const typed = (type: string, value: fc.Arbitrary<unknown>) =>
  value.map((given) => ({ "!": type, value: given }));

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    anyText,
    fc.boolean(),
    fc.constant(null),
    // amqplib cannot encode those beyond 64 bits.
    fc.double({ min: -1e15, max: 1e15, noNaN: true }),
    fc.integer(),
    fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
    typed("byte", fc.integer({ min: -128, max: 127 })),
    typed("short", fc.integer({ min: -32_768, max: 32_767 })),
    typed("long", fc.integer()),
    typed("float", fc.float({ noNaN: true, noDefaultInfinity: true })),
    typed("timestamp", fc.nat()),
    typed("decimal", fc.record({ digits: fc.nat(), places: fc.integer({ min: 0, max: 255 }) })),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 9 }), tie("value"), { maxKeys: 3 }),
  ),
}));

const headerName = fc.oneof(
  fc.constantFrom(
    ...["specversion", "ce-specversion", "CE-SpecVersion", "cloudEvents:specversion"],
    ...["time", "ce-time", "subject", "dataschema", "datacontenttype", "content-type", "ce-"],
    ...["traceparent", "tracestate", "ce-traceparent", "x-request-id", "x-fault", "xfault"],
    ...["x-dead-letter-reason", "x-dead-letter-attempts", "x-dead-letter-retries", "x-copy-id"],
    ...["content-length", "transfer-encoding", "host", "connection", "__proto__", "constructor"],
    ...["", " ", "a b", "a:b", "ü", "\0", "a\r\nb", "n".repeat(200)],
  ),
  bytes.map((text) => text.slice(0, 100)),
);

const headers = fc
  .tuple(
    fc.option(attributes, { freq: 1, nil: {} }),
    fc.array(fc.tuple(headerName, value), { maxLength: 3 }),
  )
  .map(([event, more]) =>
    Object.fromEntries(
      // A name has at most 255 bytes.
      [...Object.entries(event), ...more].map(([name, value]) => [name.slice(0, 120), value]),
    ),
  );

/** The broker itself refuses others: an expiration that is no number, another user's id. */
const properties = fc.record(
  {
    contentEncoding: encoding,
    correlationId: fc.string({ maxLength: 40 }),
    replyTo: fc.string({ maxLength: 40 }),
    messageId: fc.string({ maxLength: 40 }),
    type: fc.string({ maxLength: 40 }),
    appId: fc.string({ maxLength: 40 }),
    timestamp: fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 40, 2 ** 53 - 1)),
    priority: fc.integer({ min: 0, max: 255 }),
    deliveryMode: fc.constantFrom(1, 2),
    expiration: fc.constant("600000"),
  },
  { requiredKeys: [] },
);

const binary = fc
  .record({ body: content, contentType, headers, properties })
  .map(({ body, contentType, headers, properties }) => ({
    body,
    properties: { ...properties, contentType, headers },
  }));
const whole = fc
  .record({ body: fc.oneof(structured, structured, content), headers, properties })
  .map(({ body, headers, properties }) => {
    const contentType = "application/cloudevents+json";
    return { body, properties: { ...properties, contentType, headers } };
  });

export const anyMessage: fc.Arbitrary<QueueMessage> = fc.oneof(
  { weight: 2, arbitrary: binary },
  { weight: 1, arbitrary: whole },
);

/** With an id that no other message has: what is sent twice is stored once, and would look like a loss. */
export function withOwnId({ body, properties }: QueueMessage, id: string): QueueMessage {
  const { headers, messageId, contentType } = properties;
  const own = (given: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(given).map(([name, value]) =>
        /^(ce-)?id$/i.test(name) ? [name, `${String(value)}${id}`] : [name, value],
      ),
    );
  return {
    body: contentType === "application/cloudevents+json" ? ownBody(body, own) : body,
    properties: {
      ...properties,
      headers: own(headers ?? {}),
      ...(messageId && { messageId: `${messageId}${id}` }),
    },
  };
}

function ownBody(
  body: Buffer,
  own: (given: Record<string, unknown>) => Record<string, unknown>,
): Buffer {
  try {
    const given: unknown = JSON.parse(body.toString());
    const isObject = typeof given === "object" && given !== null && !Array.isArray(given);
    return isObject ? Buffer.from(JSON.stringify(own({ ...given }))) : body;
  } catch {
    return body;
  }
}
