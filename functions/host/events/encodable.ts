/**
 * What amqplib has decoded, so that amqplib can encode it again. Not everything is: a float of 1e30 becomes a number,
 * which would be written as an integer of 64 bits, and text that is no UTF-8 grows. A copy that throws is a message
 * that goes back to its queue again and again, and takes those that wait beside it along.
 */
const shortBytes = 255;

/** AMQP's properties and names are short strings. */
export function isShort(text: string): boolean {
  return Buffer.byteLength(text) <= shortBytes;
}

type Table = Record<string, unknown>;

/** Headers, with values that have no type of their own any more as text. */
export function encodableTable(table: Table): Table {
  return Object.fromEntries(
    Object.entries(table).map(([name, value]) => [short(name), encodable(value)]),
  );
}

/** Properties of a message, without its headers; a time that no number can hold is left out. */
export function encodableProperties<T extends Table>({ timestamp, ...properties }: T): Table {
  const kept = Object.entries(properties).map(([name, value]) => [
    name,
    typeof value === "string" ? short(value) : value,
  ]);
  return { ...Object.fromEntries(kept), ...(isTime(timestamp) && { timestamp }) };
}

function encodable(value: unknown): unknown {
  if (typeof value === "number") return isInteger(value) ? value : { "!": "double", value };
  if (typeof value !== "object" || value === null || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(encodable);
  if (!Object.hasOwn(value, "!")) return encodableTable(value as Table);
  const { "!": type, value: inner } = value as { "!": unknown; value?: unknown };
  const isTyped =
    (type === "timestamp" && isTime(inner)) || (type === "decimal" && isDecimal(inner));
  // A table of the sender's with an entry "!" looks like amqplib's way to name a type.
  return isTyped ? value : JSON.stringify(value);
}

function isInteger(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63;
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 64;
}

function isDecimal(value: unknown): boolean {
  const { digits, places } = (value ?? {}) as { digits?: unknown; places?: unknown };
  const within = (number: unknown, end: number) =>
    typeof number === "number" && Number.isInteger(number) && number >= 0 && number < end;
  return within(digits, 2 ** 32) && within(places, 2 ** 8);
}

function short(text: string): string {
  if (isShort(text)) return text;
  // A character that is cut in two becomes one of three bytes.
  return Buffer.from(text)
    .subarray(0, shortBytes - 3)
    .toString();
}
