/**
 * A TCP proxy that does to connections what networks do. It balances over its targets: a connection goes to the next
 * one that accepts it.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Every piece of data takes this much longer, in both directions. */
  slow(delayMs: number): void;
  /** A black hole: nothing passes, no connection ends, new ones get no answer. What was sent arrives after `clear`. */
  freeze(): void;
  /** Ends every connection with a reset, and each new one too. */
  reset(): void;
  /** Ends every connection in good order, and refuses new ones. */
  cut(): Promise<void>;
  /** The servers' side of every connection is gone, and the clients do not learn of it. New connections work. */
  halfOpen(): void;
  /** The network works again. Connections that are half-open are reset, as by a server that is back. */
  clear(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  upstream?: Socket;
}

export async function openProxy(targets: readonly number[], port = 0): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  const orphans = new Set<Socket>();
  let state: "clear" | "frozen" | "resetting" = "clear";
  let delayMs = 0;
  let turn = 0;

  const forward = (from: Socket, to: Socket) => {
    const waiting: { due: number; work(): void }[] = [];
    let closed = false;
    const proceed = () => {
      const [first] = waiting;
      if (!first) return;
      const left = first.due - performance.now();
      if (left > 0) return void setTimeout(proceed, left);
      waiting.shift();
      first.work();
      proceed();
    };
    const later = (work: () => void) => {
      if (delayMs === 0 && waiting.length === 0) return work();
      // Behind all that waits already, however short the delay has become.
      waiting.push({ due: performance.now() + delayMs, work });
      if (waiting.length === 1) proceed();
    };
    from.on("data", (chunk) => {
      later(() => {
        if (to.destroyed || to.write(chunk)) return;
        from.pause();
        to.once("drain", () => state !== "frozen" && from.resume());
      });
    });
    from.once("end", () => later(() => to.end()));
    from.once("error", () => {
      closed = true;
      if (!orphans.has(to)) to.resetAndDestroy();
    });
    from.once("close", () => {
      if (!closed && !orphans.has(to)) later(() => to.destroy());
    });
  };

  const join = (pair: Pair, tries = targets.length) => {
    const target = targets[turn++ % targets.length] ?? 0;
    const upstream = connect({
      port: target,
      host: "127.0.0.1",
      allowHalfOpen: true,
      noDelay: true,
    });
    pair.upstream = upstream;
    const onRefused = () => {
      if (tries > 1) join(pair, tries - 1);
      else pair.client.resetAndDestroy();
    };
    upstream.once("error", onRefused);
    upstream.once("connect", () => {
      upstream.off("error", onRefused);
      forward(pair.client, upstream);
      forward(upstream, pair.client);
      if (state === "frozen") upstream.pause();
      else pair.client.resume();
    });
  };

  const server = createServer(
    { allowHalfOpen: true, pauseOnConnect: true, noDelay: true },
    (client) => {
      client.on("error", () => {});
      if (state === "resetting") return void client.resetAndDestroy();
      const pair: Pair = { client };
      pairs.add(pair);
      client.once("close", () => {
        pairs.delete(pair);
        orphans.delete(client);
        pair.upstream?.destroy();
      });
      if (state === "clear") join(pair);
    },
  );
  const listen = async (on: number) => {
    server.listen(on, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(port);
  const own = (server.address() as AddressInfo).port;
  const close = async (end: (client: Socket) => void) => {
    for (const { client } of pairs) end(client);
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };

  return {
    port: own,
    slow(ms) {
      delayMs = ms;
    },
    freeze() {
      state = "frozen";
      for (const { client, upstream } of pairs) {
        client.pause();
        upstream?.pause();
      }
    },
    reset() {
      state = "resetting";
      for (const { client } of pairs) client.resetAndDestroy();
    },
    cut: () => close((client) => client.destroy()),
    halfOpen() {
      for (const { client, upstream } of pairs) {
        orphans.add(client);
        upstream?.destroy();
      }
    },
    async clear() {
      state = "clear";
      delayMs = 0;
      for (const client of orphans) client.resetAndDestroy();
      for (const pair of pairs) {
        if (pair.upstream) {
          pair.client.resume();
          pair.upstream.resume();
        } else join(pair);
      }
      if (!server.listening) await listen(own);
    },
    [Symbol.asyncDispose]: () => close((client) => client.destroy()),
  };
}
