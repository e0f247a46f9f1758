/** Any valid CloudEvent: attributes of every type, text of every script, data of every kind. */
import fc from "fast-check";
import { isHeaderAttribute } from "#host/base/headers";
import type { EventJson } from "#host/events/event-rules";

/** What the specification allows in a String (CloudEvents 1.0.2, 3.1). */
const disallowed = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;
const characters = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "grapheme-ascii" }) },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme" }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
  fc.constantFrom("%41", "100%", '"quoted"', " blank ", "a\\b", "ü%C3%BC", "a,b;c=d", "0"),
);
const text = characters.filter((value) => value !== "" && !disallowed.test(value));

const time = fc
  .record({
    date: fc.date({
      min: new Date("0001-01-01"),
      max: new Date("9999-12-30"),
      noInvalidDate: true,
    }),
    fraction: fc.constantFrom("", ".5", ".120", ".123456789"),
    offset: fc.constantFrom("Z", "+00:00", "-08:30", "+14:00"),
  })
  .map(({ date, fraction, offset }) => `${date.toISOString().slice(0, 19)}${fraction}${offset}`);

const reserved = new Set(
  [
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "dataschema",
    "datacontenttype",
  ].concat("data"),
);
const extensions = fc.dictionary(
  fc
    .stringMatching(/^[a-z0-9]{1,20}$/)
    .filter((name) => !reserved.has(name) && !isHeaderAttribute(name)),
  fc.oneof(text, fc.boolean(), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  { maxKeys: 4 },
);

/** Of JSON: what no MongoDB holds is refused, and has rows of its own. */
const isStorable = (data: unknown) => {
  const json = JSON.stringify(data);
  return !/\\u0000|_bsontype|\\ud[89a-f]/i.test(json) && !/"\$(ref|id|db)"/.test(json);
};

const content = fc.oneof(
  fc.record({
    datacontenttype: fc.constantFrom(
      "application/json",
      "application/vnd.a+json",
      "text/json; v=1",
    ),
    data: fc
      .jsonValue({ maxDepth: 6 })
      .filter(isStorable)
      .map((data) => JSON.parse(JSON.stringify(data))),
  }),
  fc.record({
    datacontenttype: fc.constantFrom("text/plain", "text/html; charset=utf-8"),
    data: fc.string({ unit: "binary", minLength: 1 }),
  }),
  fc.record({
    datacontenttype: fc.constantFrom("application/octet-stream", "image/png"),
    data_base64: fc
      .uint8Array({ minLength: 1 })
      .map((bytes) => Buffer.from(bytes).toString("base64")),
  }),
  fc.constant({}),
);

const source = fc.oneof(
  fc.webUrl(),
  fc.webPath({ size: "+1" }).filter((path) => path !== ""),
  fc.constant("urn:a:b"),
);

export const anyEvent: fc.Arbitrary<EventJson> = fc
  .tuple(
    extensions,
    fc.record({ specversion: fc.constant("1.0"), source, type: text }),
    fc.record({ subject: text, time, dataschema: fc.webUrl() }, { requiredKeys: [] }),
    content,
    // Each run is an event of its own.
    text,
  )
  .map(
    ([more, needed, optional, data, id]) =>
      ({ ...more, ...needed, ...optional, ...data, id }) as EventJson,
  );
