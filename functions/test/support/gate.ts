/** A TCP proxy in front of a real server, so that a test can take that server away and bring it back. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Gate extends AsyncDisposable {
  /** The server's URL, by way of the gate. */
  readonly url: string;
  /** Connections that go through it now. */
  connections(): number;
  /** How often these bytes were sent to the server. */
  sent(bytes: Buffer): number;
  /** Ends every connection and refuses new ones, as a server does that went down. */
  shut(): Promise<void>;
  /** The server is back, on the same port. */
  open(): Promise<void>;
  /** Lets nothing through any more, and says nothing of it: connections stay, and new ones hang. */
  freeze(): void;
  /** Sends these bytes to every client, as if the server had said them. */
  say(bytes: Buffer): void;
}

export async function openGate(url: string): Promise<Gate> {
  const target = new URL(url);
  const clients = new Set<Socket>();
  const chunks: Buffer[] = [];
  let frozen = false;

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    clients.add(client);
    client.once("close", () => clients.delete(client));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => {});
      one.once("close", () => other.destroy());
    }
    client.on("data", (chunk) => {
      if (frozen) return;
      chunks.push(chunk);
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => {
      if (!frozen) client.write(chunk);
    });
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;

  const shut = async () => {
    for (const client of clients) client.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, "close");
  };
  const gated = new URL(url);
  gated.host = `127.0.0.1:${port}`;
  return {
    url: gated.href,
    connections: () => clients.size,
    sent: (bytes) =>
      Buffer.concat(chunks).toString("latin1").split(bytes.toString("latin1")).length - 1,
    shut,
    async open() {
      frozen = false;
      await listen(port);
    },
    freeze() {
      frozen = true;
    },
    say(bytes) {
      for (const client of clients) client.write(bytes);
    },
    [Symbol.asyncDispose]: shut,
  };
}
