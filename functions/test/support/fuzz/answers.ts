/** What every answer of ours has to be, whatever was asked. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { problemType } from "#host/base/errors";

export interface RawAnswer {
  readonly status: number;
  /** Lower-case. */
  readonly head: string;
  readonly body: string;
}

/** A server that neither answers nor closes within this time leaks the connection. */
const closeMs = 15_000;

/** A client that has sent all and hears nothing any more ends its side; it is then no longer answered. */
const quietMs = 15;

/**
 * What comes back for these bytes, each piece in a packet of its own. With `patient` the client waits for the server to
 * close, as it should where it was asked to. Rejects where the connection stays open.
 */
export async function exchange(
  port: number,
  pieces: readonly Buffer[],
  { patient = false } = {},
): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  // A server may refuse the rest by a reset.
  socket.on("error", () => {});
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  socket.once("close", resolve).once("end", resolve);
  const timer = setTimeout(() => {
    reject(new Error(`the connection is still open, after ${Buffer.concat(chunks)}`));
  }, closeMs);
  try {
    await once(socket, "connect");
    for (const piece of pieces) {
      if (socket.writable) socket.write(piece);
      if (pieces.length > 1) await new Promise((next) => setImmediate(next));
    }
    const quiet = patient ? undefined : setTimeout(() => socket.end(), quietMs);
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      quiet?.refresh();
    });
    await over.finally(() => clearTimeout(quiet));
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** The answers of HTTP/1.1 in what a server said. */
export function answersIn(said: Buffer): RawAnswer[] {
  const text = said.toString("latin1");
  return text
    .split(/(?=HTTP\/1\.[01] \d{3} [^\r\n]*\r\n)/)
    .filter((part) => part !== "")
    .map((part) => {
      const [head = "", ...rest] = part.split("\r\n\r\n");
      const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1] ?? 0);
      return { status, head: head.toLowerCase(), body: rest.join("\r\n\r\n") };
    });
}

/**
 * The client's own mistakes are 4xx. 501 is what RFC 9110, 15.6.2 and RFC 9112, 6.1 have for a method and a transfer
 * coding that a server does not know, 505 what 15.6.6 has for another major version.
 */
export function assertOurs({ status, head, body }: RawAnswer, isHead = false): void {
  const what = `${head}\n\n${body}`;
  assert.ok((status >= 100 && status <= 499) || status === 501 || status === 505, what);
  assertNoInternals(what);
  if (status < 400) return;
  assert.match(head, new RegExp(`^content-type: ${problemType.replace("+", "\\+")}$`, "m"), what);
  if (isHead) return;
  const problem = JSON.parse(Buffer.from(body, "latin1").toString());
  assert.equal(problem.status, status, what);
  assert.match(problem.code, /^ERR_[A-Z_]+$/, what);
  assert.equal(typeof problem.detail, "string", what);
}

/** Neither a stack, nor a path of ours, nor another server's page. */
export function assertNoInternals(text: string): void {
  assert.doesNotMatch(text, /\n? {4}at |node:internal|node_modules|file:\/\/|<html|<pre/i);
  assert.ok(!text.includes(process.cwd()), text);
}

/** A request that is framed right, whatever its parts are; bytes are characters of Latin-1. */
export function framed(
  line: string,
  headers: readonly (readonly [name: string, value: string])[],
  body = Buffer.alloc(0),
): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  const head = [`${line} HTTP/1.1`, "host: a", "connection: close", ...lines].join("\r\n");
  const end = `\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(`${head}${end}`, "latin1"), body]);
}

/** The one answer to one request; throws where it is none of ours. */
export async function answerTo(port: number, request: Buffer): Promise<RawAnswer> {
  const [answer, ...more] = answersIn(await exchange(port, [request], { patient: true }));
  assert.ok(answer && more.length === 0, `${1 + more.length} answers, not one`);
  return answer;
}
