/**
 * One port for HTTP/1.1 and gRPC, because a Knative Service has one: the first bytes of a
 * connection tell which it is. No second port, no proxy process.
 */
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** RFC 9113, 3.4: what every HTTP/2 client with prior knowledge sends first. */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export interface Listener {
  readonly port: number;
  /** Connections that are open now, of both kinds. */
  connections(): number;
  /**
   * Accepts no more connections and closes those that are idle; the others go on. One that was accepted and has said
   * nothing yet may be about to: it has a moment for that. Settles when no such connection is left.
   */
  stop(): Promise<void>;
  /**
   * For when nothing is in flight any more: lets connections end for a moment, since an answer may
   * still be on its way out, and closes the others. Settles when nothing is open.
   */
  close(): Promise<void>;
}

const flushMs = 500;
/** For a connection that was accepted just before, and whose request may be on a busy machine's way. */
const undecidedMs = 2_000;

export async function startListener(options: {
  port: number;
  host: string | undefined;
  /** Must not be listening; it is made to. */
  http: Server;
  /** Takes over an HTTP/2 connection with the preface still unread. */
  acceptHttp2(socket: Socket): void;
  /** A connection that has not sent enough to tell the protocol within this time is closed. */
  silenceMs: number;
}): Promise<Listener> {
  const { http, acceptHttp2, silenceMs } = options;
  const sockets = new Set<Socket>();
  let accepted = 0;
  /** Connections whose protocol is not known yet: each settles when it is, or when the connection is gone. */
  const undecided = new Map<Socket, Promise<void>>();

  // The http.Server listens itself, so that its timeouts and idle connections are its own affair;
  // only its way of taking a connection waits until the protocol is known.
  const acceptHttp1 = http.listeners("connection") as ((socket: Socket) => void)[];
  http.removeAllListeners("connection");
  http.on("connection", (socket: Socket) => {
    const { promise, resolve: decided } = Promise.withResolvers<void>();
    accepted++;
    sockets.add(socket);
    undecided.set(socket, promise);
    const settle = () => {
      undecided.delete(socket);
      decided();
    };
    socket.once("close", () => {
      sockets.delete(socket);
      settle();
    });
    sniff(socket, silenceMs, (isHttp2) => {
      // http.Server leaves the answer to a client's end to HTTP/1.1; http2 would keep such a socket for ever.
      socket.allowHalfOpen = !isHttp2;
      if (isHttp2) acceptHttp2(socket);
      else for (const accept of acceptHttp1) accept.call(http, socket);
      // The request is read in the same turn or the next: only then is it in flight.
      setImmediate(settle);
    });
  });

  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  http.once("error", reject);
  http.listen({ port: options.port, host: options.host }, resolve);
  await listening;
  http.off("error", reject);

  const end = async () => {
    // What the system has accepted for us is reset when the server closes: it is taken over first, of which libuv does one a turn.
    const until = performance.now() + flushMs;
    for (let quiet = 0; quiet < 2 && performance.now() < until; ) {
      const before = accepted;
      await new Promise((resolve) => setImmediate(resolve));
      quiet = accepted === before ? quiet + 1 : 0;
    }
    http.close();
    const limit = setTimeout(() => {
      for (const socket of undecided.keys()) socket.destroy();
    }, undecidedMs);
    await Promise.all(undecided.values());
    clearTimeout(limit);
  };
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= end();
    return stopping;
  };
  return {
    port: (http.address() as AddressInfo).port,
    connections: () => sockets.size,
    stop,
    async close() {
      await stop();
      const gone = [...sockets].map((socket) => new Promise((end) => socket.once("close", end)));
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, flushMs);
      await Promise.all(gone);
      clearTimeout(timer);
    },
  };
}

/** Decides by the first bytes, and leaves them to be read again by the server that takes the socket. */
function sniff(socket: Socket, silenceMs: number, decide: (isHttp2: boolean) => void): void {
  const timer = setTimeout(() => socket.destroy(), silenceMs);
  let seen = Buffer.alloc(0);
  const onError = () => socket.destroy();
  const onData = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, preface.length);
    const isHttp2 = seen.compare(preface, 0, length, 0, length) === 0;
    // Half a preface is kept here, under the timer, until the rest comes: http2 would wait for ever.
    if (isHttp2 && length < preface.length) return;
    clearTimeout(timer);
    socket.off("data", onData);
    socket.off("error", onError);
    socket.off("end", onError);
    socket.pause();
    socket.unshift(seen);
    decide(isHttp2);
    // http2 reads what is buffered by itself, and loses it when the socket flows before that.
    if (!isHttp2) socket.resume();
  };
  socket.on("error", onError);
  // The server's sockets stay half open for HTTP/1.1; nothing more can come here.
  socket.on("end", onError);
  socket.on("data", onData);
  socket.once("close", () => clearTimeout(timer));
}
