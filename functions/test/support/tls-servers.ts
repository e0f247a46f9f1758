/** A broker and a database that speak TLS. */
import { readFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";
import amqp from "amqplib";
import { freePort } from "../../local/ports.ts";
import { launch } from "../../local/services/launch.ts";
import { findRabbitMqServer, rabbitMqCommands } from "../../local/services/rabbitmq-server.ts";
import { testOptions } from "../../local/services/testing.ts";
import type { Certificates } from "./certificates.ts";

export interface TlsServer extends AsyncDisposable {
  readonly port: number;
}

/** RabbitMQ itself, with a TLS listener beside its plain one. */
export async function startTlsBroker({
  authority,
  certificate,
  key,
}: Certificates): Promise<TlsServer & { readonly plainPort: number }> {
  const { options, ...data } = await testOptions();
  const file = findRabbitMqServer(options.env);
  if (!file) throw new Error("there is no rabbitmq-server on this machine");
  const [port, plainPort] = [await freePort(), await freePort()];
  const commands = await rabbitMqCommands(options, file, plainPort);
  const settings = {
    "listeners.ssl.1": `127.0.0.1:${port}`,
    "ssl_options.cacertfile": authority,
    "ssl_options.certfile": certificate,
    "ssl_options.keyfile": key,
    "ssl_options.verify": "verify_none",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  await appendFile(join(options.dataDir, "rabbitmq/rabbitmq.conf"), lines.join(""));
  const broker = await launch(options, {
    name: "RabbitMQ",
    url: `amqp://127.0.0.1:${plainPort}`,
    origin: (version) => version,
    commands,
    async probe(url) {
      const connection = await amqp.connect(url, { timeout: 3_000 }).catch(() => undefined);
      await connection?.close();
      return connection?.connection.serverProperties.version;
    },
  });
  return {
    port,
    plainPort,
    async [Symbol.asyncDispose]() {
      await broker.stop();
      await data[Symbol.asyncDispose]();
    },
  };
}

/** TLS in front of a server that has none: the databases of the tests. */
export async function startTlsProxy(
  { certificate, key }: Certificates,
  url: string,
): Promise<TlsServer> {
  const { hostname, port } = new URL(url);
  const options = { cert: readFileSync(certificate), key: readFileSync(key) };
  const server = createServer(options, (client) => {
    const target = connect(Number(port), hostname);
    for (const socket of [client, target]) {
      socket.on("error", () => {});
      socket.once("close", () => {
        client.destroy();
        target.destroy();
      });
    }
    client.pipe(target).pipe(client);
  });
  // A client that refuses the certificate ends the handshake.
  server.on("tlsClientError", () => {});
  const open = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
