/**
 * What the live graph needs of every span, read from OTLP's bytes in place: decoding whole spans took most of the
 * local run's own CPU under load, and few of them are ever looked at. Field numbers are those of proto/otlp.proto.
 */
import type { Span } from "./otlp.ts";

/** Where a span lies in a body, and what is counted of it. */
export interface Glance {
  readonly traceId: string;
  readonly service: string;
  /** `service.version` of its resource; undefined where that has none. */
  readonly version: string | undefined;
  readonly kind: Span["kind"];
  readonly startMs: number;
  readonly durationMs: number;
  readonly failed: boolean;
  /** The texts and whole numbers that were asked for. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The whole span is these bytes of its body. */
  readonly body: Buffer;
  readonly from: number;
  readonly to: number;
}

/** The wanted names by length: most others are told apart by that alone. */
type Wanted = ReadonlyMap<number, readonly string[]>;

/** Reads attributes of these names, and no others. Throws for bytes that are no OTLP. */
export function createGlancer(names: readonly string[]): (body: Uint8Array) => Glance[] {
  const wanted = Map.groupBy(names, ({ length }) => length);
  return (body) => {
    const glances: Glance[] = [];
    const message = readerOf(body);
    while (message.next()) {
      if (message.field === 1) readResource(message.inner(), wanted, glances);
    }
    return glances;
  };
}

function readResource(message: Reader, wanted: Wanted, glances: Glance[]): void {
  const scopes: Reader[] = [];
  const resource: Record<string, string> = {};
  while (message.next()) {
    if (message.field === 1) readAttributes(message.inner(), resourceWanted, resource);
    if (message.field === 2) scopes.push(message.inner());
  }
  const of = {
    service: resource["service.name"] ?? "unknown",
    version: resource["service.version"],
  };
  for (const scope of scopes) {
    while (scope.next()) {
      if (scope.field === 2) glances.push(glanceAt(scope.inner(), of, wanted));
    }
  }
}

const resourceWanted: Wanted = new Map([
  [12, ["service.name"]],
  [15, ["service.version"]],
]);

function readAttributes(message: Reader, wanted: Wanted, into: Record<string, string>): void {
  while (message.next()) {
    if (message.field === 1) readAttribute(message.inner(), wanted, into);
  }
}

const kinds = ["internal", "internal", "server", "client", "producer", "consumer"] as const;
const error = 2;

function glanceAt(span: Reader, of: Pick<Glance, "service" | "version">, wanted: Wanted): Glance {
  const { buffer: body, at: from, end: to } = span;
  const attributes: Record<string, string> = {};
  let traceId = "";
  let kind: Glance["kind"] = "internal";
  let failed = false;
  let [startLow, startHigh, endLow, endHigh] = [0, 0, 0, 0];
  while (span.next()) {
    if (span.field === 1) traceId = span.text("hex");
    else if (span.field === 6) kind = kinds[span.number] ?? "internal";
    else if (span.field === 7) [startLow, startHigh] = [span.low, span.high];
    else if (span.field === 8) [endLow, endHigh] = [span.low, span.high];
    else if (span.field === 9) readAttribute(span.inner(), wanted, attributes);
    else if (span.field === 15) failed = codeOf(span.inner()) === error;
  }
  const startMs = (startHigh * 2 ** 32 + startLow) / 1e6;
  const durationMs = Math.max(0, ((endHigh - startHigh) * 2 ** 32 + (endLow - startLow)) / 1e6);
  return { traceId, ...of, kind, startMs, durationMs, failed, attributes, body, from, to };
}

function codeOf(status: Reader): number {
  let code = 0;
  while (status.next()) if (status.field === 3) code = status.number;
  return code;
}

function readAttribute(pair: Reader, wanted: Wanted, into: Record<string, string>): void {
  let name: string | undefined;
  while (pair.next()) {
    if (pair.field === 1) {
      const names = wanted.get(pair.length);
      const text = names && pair.text("latin1");
      if (!text || !names.includes(text)) return;
      name = text;
    } else if (pair.field === 2 && name) {
      const value = pair.inner();
      while (value.next()) {
        if (value.field === 1) into[name] = value.text("utf8");
        else if (value.field === 3) into[name] = String(value.number);
      }
    }
  }
}

function readerOf(bytes: Uint8Array): Reader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Reader(buffer, 0, buffer.length);
}

/** Walks the fields of one message: https://protobuf.dev/programming-guides/encoding/ */
class Reader {
  field = 0;
  /** Of a varint: its value, exact up to 2^53. */
  number = 0;
  /** Of 64 fixed bits, its halves. */
  low = 0;
  high = 0;
  /** Of a text, bytes or a message: how many bytes it has. */
  length = 0;
  #from = 0;
  at: number;
  readonly buffer: Buffer;
  readonly end: number;

  constructor(buffer: Buffer, at: number, end: number) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  /** False at the message's end; throws where that lies within a field. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    const wire = tag % 8;
    this.length = 0;
    if (wire === 0) this.number = this.#varint();
    else if (wire === 1) {
      const at = this.#take(8);
      this.low = this.buffer.readUInt32LE(at);
      this.high = this.buffer.readUInt32LE(at + 4);
    } else if (wire === 2) {
      this.length = this.#varint();
      this.#from = this.#take(this.length);
    } else if (wire === 5) this.#take(4);
    else throw new Error(`there is no wire type ${wire}`);
    return true;
  }

  inner(): Reader {
    return new Reader(this.buffer, this.#from, this.#from + this.length);
  }

  text(encoding: "utf8" | "latin1" | "hex"): string {
    return this.buffer.toString(encoding, this.#from, this.#from + this.length);
  }

  #take(count: number): number {
    const from = this.at;
    this.at += count;
    if (this.at > this.end) throw new Error("a field goes beyond its message");
    return from;
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 63; factor *= 128) {
      const byte = this.buffer[this.#take(1)] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new Error("a number is longer than 64 bits");
  }
}
