import { STATUS_CODES } from "node:http";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { reasonOf } from "#host/base/errors";
import { headersToMetadata, type PropagatedHeaders } from "#host/base/headers";
import { GreetingResponse, GreetingServiceService } from "#proto";

export interface Answer {
  readonly ok: boolean;
  /** JSON, or words where there is none. */
  readonly text: string;
  /** Of an answer over HTTP: "404 Not Found". */
  readonly status?: string;
}

export interface Caller {
  call(headers: PropagatedHeaders): Promise<Answer>;
  close(): void;
}

export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
}

const timeoutMs = 10_000;

export function byHttp(port: number, { path, headers: own, ...rest }: HttpRequest): Caller {
  const url = `http://127.0.0.1:${port}${path}`;
  const { method, body } = rest;
  return {
    async call(headers) {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const response = await fetch(url, {
          method,
          headers: { ...headers, ...own },
          signal,
          ...(body && { body }),
        });
        const status = `${response.status} ${STATUS_CODES[response.status]}`;
        return { ok: response.ok, status, text: (await response.text()) || status };
      } catch (error) {
        return { ok: false, text: `${url}: ${reasonOf(error)}` };
      }
    },
    close() {},
  };
}

export function byGrpc(port: number): Caller {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = GreetingServiceService.greeting;
  return {
    call: (headers) =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        headersToMetadata(headers, metadata);
        const deadline = Date.now() + timeoutMs;
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          {},
          metadata,
          { deadline },
          (error, response) => {
            if (error) resolve({ ok: false, text: `${status[error.code]}: ${error.details}` });
            else resolve({ ok: true, text: textOf(response) });
          },
        );
      }),
    close: () => client.close(),
  };
}

/** Without an error there is a response. */
function textOf(response: GreetingResponse | undefined): string {
  return JSON.stringify(GreetingResponse.toJSON(response as GreetingResponse));
}
