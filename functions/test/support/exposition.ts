import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Exposition extends AsyncDisposable {
  readonly address: string;
}

/** Serves a file of metrics as text, at every path. Where it says N there is a number that grows by each request. */
export async function startExposition(file: string): Promise<Exposition> {
  const lines = readFileSync(file, "utf8");
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.setHeader("content-type", "text/plain; version=0.0.4");
    response.end(lines.replaceAll(/ N$/gm, ` ${requests * 10}`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
