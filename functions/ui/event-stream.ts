import { Readable } from "node:stream";

/** Media type of server-sent events (WHATWG HTML, "Server-sent events"). */
export const eventStreamType = "text/event-stream";

/** What an event stream is answered with: proxies must neither keep nor gather it. */
export const eventStreamHeaders = {
  "content-type": eventStreamType,
  "cache-control": "no-store",
  "x-accel-buffering": "no",
} as const;

/** What may wait for a client that does not read; what comes beyond it is left out. */
const mostWaitingBytes = 1_048_576;

/** Proxies and browsers close a stream that is silent for longer. */
const aliveMs = 15_000;

export interface EventStream {
  readonly body: Readable;
  /** `data` is one line. */
  send(event: string, data: string): void;
  end(): void;
}

/** A stream of server-sent events. `onClose` is called once, however it ends: by us, or because the client left. */
export function createEventStream(onClose: () => void): EventStream {
  const body = new Readable({
    read() {},
    destroy(error, done) {
      clearInterval(timer);
      onClose();
      done(error);
    },
  });
  const write = (text: string) => {
    if (!body.destroyed && body.readableLength < mostWaitingBytes) body.push(text);
  };
  const timer = setInterval(() => write(": still here\n\n"), aliveMs).unref();
  // How long a browser waits before it asks again: a function that is restarted is back after a second.
  write("retry: 1000\n\n");
  return {
    body,
    send: (event, data) => write(`event: ${event}\ndata: ${data}\n\n`),
    end: () => void (body.destroyed || body.push(null)),
  };
}
