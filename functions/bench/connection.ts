/**
 * One HTTP/1.1 client on one connection that it keeps, asking the same again and again. node:http's own takes several
 * times the CPU, which the functions on the same machine would lack.
 */
import { connect, type Socket } from "node:net";
import type { RawAnswer } from "../chaos/answer.ts";

export interface Connection extends Disposable {
  /** Connects again where the server has closed the connection. Throws where there is no answer. */
  ask(): Promise<RawAnswer>;
}

const headEnd = "\r\n\r\n";

export function openConnection(url: URL, patienceMs: number): Connection {
  const { host, hostname, port, pathname, search } = url;
  const request = `GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: bench\r\n\r\n`;
  let socket: Socket | undefined;
  let waiting: PromiseWithResolvers<RawAnswer> | undefined;
  let received = "";
  const end = (why: string) => {
    socket?.destroy();
    socket = undefined;
    waiting?.reject(new Error(why));
    waiting = undefined;
  };
  const open = () => {
    received = "";
    const own = connect({ host: hostname, port: Number(port || 80) });
    // Bytes as characters: a content-length counts bytes.
    own.setNoDelay().setTimeout(patienceMs).setEncoding("latin1");
    own.on("data", (text: string) => {
      received += text;
      const answer = readAnswer(received);
      if (!answer) return;
      received = "";
      const asked = waiting;
      waiting = undefined;
      if (answer.closes) end("");
      asked?.resolve(answer);
    });
    const failed = (why: string) => own === socket && end(why);
    own.once("timeout", () => failed(`no answer in ${patienceMs} ms`));
    own.once("error", (error) => failed(error.message));
    own.once("close", () => failed("the connection was closed before the answer"));
    return own;
  };
  return {
    ask() {
      waiting = Promise.withResolvers();
      const { promise } = waiting;
      socket ??= open();
      socket.write(request, "latin1");
      return promise;
    },
    [Symbol.dispose]: () => end("the client has ended"),
  };
}

/** Undefined while it is not whole. */
export function readAnswer(text: string): (RawAnswer & { closes: boolean }) | undefined {
  const headLength = text.indexOf(headEnd);
  if (headLength < 0) return undefined;
  const head = text.slice(0, headLength + 2).toLowerCase();
  const header = (name: string) => {
    const at = head.indexOf(`\r\n${name}:`);
    return at < 0
      ? undefined
      : head.slice(at + name.length + 3, head.indexOf("\r\n", at + 2)).trim();
  };
  const rest = text.slice(headLength + headEnd.length);
  const length = header("content-length");
  const body =
    length === undefined ? dechunk(rest) : rest.length >= Number(length) ? rest : undefined;
  if (body === undefined) return undefined;
  return {
    status: Number(head.slice(9, 12)),
    type: header("content-type"),
    text: Buffer.from(body, "latin1").toString(),
    closes: header("connection") === "close",
  };
}

function dechunk(text: string): string | undefined {
  let body = "";
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const begin = lineEnd + 2;
    if (text.length < begin + size + 2) return undefined;
    if (size === 0) return body;
    body += text.slice(begin, begin + size);
    at = begin + size + 2;
  }
}
