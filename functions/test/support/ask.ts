import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";

export interface Asked {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; fails the test when it is none. */
  json<T = Record<string, unknown>>(): T;
}

export interface AskOptions {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
  signal?: AbortSignal;
}

/** One request on a connection of its own, which is closed with the answer. */
export function ask(port: number, path = "/", options: AskOptions = {}): Promise<Asked> {
  const { method = options.body === undefined ? "GET" : "POST", headers, body, signal } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Asked>();
  const settings = { host: "127.0.0.1", port, path, method, agent: false } as const;
  const outgoing = request({ ...settings, ...(headers && { headers }), ...(signal && { signal }) });
  outgoing.once("error", reject);
  outgoing.once("response", async (incoming) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const { statusCode: status = 0, headers } = incoming;
      resolve({ status, headers, text, json: () => JSON.parse(text) });
    } catch (thrown) {
      reject(thrown);
    }
  });
  outgoing.end(body);
  return promise;
}
