import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface Exposition extends AsyncDisposable {
  readonly address: string;
}

/**
 * Serves a file of metrics as text, at every path. Where it says N there is a number that grows by each request.
 * With the address of an application it does as Istio's agent does: the application is asked with the same
 * Accept header, its metrics follow those of the file as they are, and all of it has its content type.
 */
export async function startExposition(file: string, application?: string): Promise<Exposition> {
  const lines = readFileSync(file, "utf8").replaceAll(/^# (?!TYPE).*\n/gm, "");
  let requests = 0;
  const answerTo = async ({ headers }: IncomingMessage) => {
    requests += 1;
    const text = lines.replaceAll(/ N$/gm, ` ${requests * 10}`);
    if (!application) return { type: "text/plain; version=0.0.4", text };
    const { accept = "" } = headers;
    const answer = await fetch(`http://${application}/metrics`, { headers: { accept } });
    const type = answer.headers.get("content-type") ?? "";
    return { type, text: text + (await answer.text()) };
  };
  const server = createServer((request, response) => {
    answerTo(request).then(
      ({ type, text }) => response.setHeader("content-type", type).end(text),
      (error) => response.writeHead(500).end(String(error)),
    );
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
