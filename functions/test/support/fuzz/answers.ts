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

/** A connection that is still open this long after its client has ended is a leak. */
const closeMs = 8_000;

/**
 * What comes back for these bytes, each piece in a packet of its own, after which the client ends its side. Rejects
 * where the server leaves the connection open.
 */
export async function exchange(port: number, ...pieces: readonly Buffer[]): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  // A server may refuse the rest by a reset.
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const ended = new Promise<void>((resolve) => socket.once("end", () => resolve()));
  try {
    await once(socket, "connect");
    for (const piece of pieces) {
      if (socket.writable) socket.write(piece);
      if (pieces.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new Error(`the connection is still open, after ${Buffer.concat(chunks)}`));
    }, closeMs);
    await Promise.race([ended, closed, late]).finally(() => clearTimeout(timer));
    return Buffer.concat(chunks);
  } finally {
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
