/** The HTTP face of a call, from the caller's side: one keep-alive agent for the process's life. */
import { Agent, type IncomingMessage, request } from "node:http";
import { type Greeting, GreetingResponse } from "#proto";
import { codeOfHttp, HostError, isErrorCode, reasonOf } from "../base/errors.ts";
import type { PropagatedHeaders } from "../base/headers.ts";
import { type Call, formatTimeout, timeForCallee, timeoutHeader } from "../call/call.ts";
import { createGuard, type Guard, noRetry, type Retry, retryAfterLoss } from "../call/guard.ts";
import { deriveKey, keyHeader } from "../call/key.ts";
import { createPeers, type Peer } from "../call/peer.ts";
import type { HttpAnswer, HttpMessage, Runtime } from "../call/runtime.ts";
import { createTracing, type Tracing } from "../telemetry/tracing.ts";

export interface HttpClient {
  /**
   * Sends the call's headers and time left along. Resolves with whatever the callee answers;
   * rejects with ERR_CALLEE when it cannot be reached, and with the call's own reason when that ends.
   */
  readonly send: Runtime["send"];
  /** The callee's greetings; a problem that it answers is thrown with its code and path of hops. */
  greetings(callee: string, call: Call): Promise<Greeting[]>;
  close(): void;
}

const greetingMessage = {
  method: "GET",
  path: "/api/greeting",
  template: "/api/greeting",
} as const;

/** How long a connection is kept that nothing is sent on: less than any server keeps it. */
const idleMs = 15_000;

/** An answer larger than this is not a greeting of any graph that one would build. */
const maxAnswerBytes = 16 * 1024 * 1024;

export function createHttpClient(
  addressOf: (name: string) => string,
  tracing: Tracing = createTracing(),
  guard: Guard = createGuard(),
): HttpClient {
  // Those that are not needed end: the last one that was free is taken first, and the others time out.
  const agent = new Agent({
    keepAlive: true,
    scheduling: "lifo",
    maxFreeSockets: 256,
    timeout: idleMs,
  });

  const peerOf = createPeers(addressOf);

  const exchange = async (
    { hostname, port }: Peer,
    message: HttpMessage,
    call: Call,
    propagated: PropagatedHeaders,
  ) => {
    const timeoutMs = timeForCallee(call);
    const { method, path, headers, body } = message;
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    const outgoing = request({
      agent,
      hostname,
      port,
      method,
      path,
      headers: {
        ...propagated,
        [timeoutHeader]: formatTimeout(timeoutMs),
        ...headers,
        ...(body && { "content-length": body.length }),
      },
    });
    const giveUp = (reason: HostError) => {
      reject(reason);
      outgoing.destroy();
    };
    const late = setTimeout(() => giveUp(noAnswer()), timeoutMs);
    const off = call.ending.onAbort(giveUp);
    outgoing.on("error", (error: Error) =>
      reject(Object.assign(error, { reusedSocket: outgoing.reusedSocket })),
    );
    outgoing.once("response", (incoming) => collect(incoming, resolve, reject));
    outgoing.end(body);
    try {
      return await promise;
    } finally {
      off();
      clearTimeout(late);
    }
  };

  const send: HttpClient["send"] = (callee, message, call) => {
    const peer = peerOf(callee);
    const { address } = peer;
    const { method, path, template } = message;
    const attributes = {
      "http.request.method": method,
      "url.full": `http://${address}${path}`,
      ...peer.attributes,
      ...message.attributes,
    };
    // A path may hold ids, and each would be an operation of its own.
    const name = template ? `${method} ${template}` : method;
    return tracing.run({ kind: "client", name, attributes }, call, async (running) => {
      try {
        let sent = 0;
        const answer = await guard.run({
          ...{ callee, call, running },
          once() {
            if (sent > 0) running.set({ "http.request.resend_count": sent });
            sent++;
            return exchange(peer, message, call, running.headers);
          },
          retryOf: (thrown, tries) => retryOf(thrown, tries, keyHeader in (message.headers ?? {})),
        });
        running.set({ "http.response.status_code": answer.status });
        if (answer.status >= 400) running.fail(problemOf(callee, answer));
        return answer;
      } catch (thrown) {
        throw failure(callee, address, thrown, call);
      }
    });
  };

  return {
    send,
    async greetings(callee, call) {
      const headers = { [keyHeader]: deriveKey(call.key, callee) };
      const answer = await send(callee, { ...greetingMessage, headers }, call);
      if (answer.status === 200) return parseGreetings(callee, answer.body);
      throw problemOf(callee, answer);
    },
    close: () => agent.destroy(),
  };
}

function retryOf(thrown: unknown, tries: number, isKeyed: boolean): Retry {
  const { code = "", reusedSocket = false } = thrown as { code?: string; reusedSocket?: boolean };
  const isUnsent = code === "ECONNREFUSED";
  if (!isUnsent && !/^(ECONNRESET|EPIPE)$/.test(code)) return noRetry;
  return retryAfterLoss({ isUnsent, wasIdle: reusedSocket, isKeyed }, tries);
}

/** The error that an answer with a status other than success stands for. */
export function problemOf(callee: string, { status, body }: HttpAnswer): HostError {
  const problem = parseJson(body) as { code?: unknown; detail?: unknown } | undefined;
  const code = isErrorCode(problem?.code) ? problem.code : codeOfHttp(status);
  const ours = isErrorCode(problem?.code) && typeof problem.detail === "string";
  const detail = ours ? String(problem.detail) : `${callee}: answered with HTTP status ${status}`;
  return new HostError(code, detail);
}

function failure(callee: string, address: string, thrown: unknown, call: Call): HostError {
  if (call.ending.reason) return call.ending.reason.at(callee);
  if (thrown instanceof HostError) return thrown.at(callee);
  const detail = `unreachable at ${address} (${reasonOf(thrown)})`;
  return new HostError("ERR_CALLEE", `${callee}: ${detail}`, { cause: thrown });
}

function parseGreetings(callee: string, body: Buffer): Greeting[] {
  const json = parseJson(body) as { greeting?: unknown } | undefined;
  const isGreeting = (item: unknown) => typeof item === "object" && item !== null;
  if (Array.isArray(json?.greeting) && json.greeting.every(isGreeting)) {
    return GreetingResponse.fromJSON(json).greeting;
  }
  throw new HostError("ERR_ANSWER", `${callee}: answered with something other than greetings`);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

const noAnswer = () => new HostError("ERR_DEADLINE", "no answer within the deadline");

function collect(
  incoming: IncomingMessage,
  resolve: (answer: HttpAnswer) => void,
  reject: (error: Error) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  incoming.on("data", (chunk: Buffer) => {
    size += chunk.length;
    chunks.push(chunk);
    if (size <= maxAnswerBytes) return;
    reject(new HostError("ERR_ANSWER", `answered with more than ${maxAnswerBytes} bytes`));
    incoming.destroy();
  });
  incoming.on("error", reject);
  incoming.once("end", () => {
    const { statusCode: status = 0, headers } = incoming;
    resolve({ status, headers, body: Buffer.concat(chunks) });
  });
}
