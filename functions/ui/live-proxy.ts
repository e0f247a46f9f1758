import { Readable } from "node:stream";
import { HostError, type RouteAnswer, reasonOf } from "#host";
import { eventStreamType } from "./event-stream.ts";
import type { LiveAnswers, LiveRequest } from "./live-answers.ts";
import { type LiveName, liveNames, livePath, livePaths } from "./live-contract.ts";

/** Answers the page's questions as the local run's live server does, by asking it. `draining` ends its streams. */
export function liveProxy(url: string, draining: AbortSignal): LiveAnswers {
  const ask = async (name: LiveName, { call, parameters, query }: LiveRequest) => {
    const target = new URL(livePath(name, parameters), url);
    target.search = String(query);
    const signal = AbortSignal.any([call.signal, draining]);
    const { method } = livePaths[name];
    const response = await fetch(target, { method, signal }).catch((cause) => {
      throw new HostError("ERR_CALLEE", `the local run: ${reasonOf(cause)}`, { cause });
    });
    return answerOf(response, draining);
  };
  return Object.fromEntries(
    liveNames.map((name) => [name, (request: LiveRequest) => ask(name, request)]),
  );
}

async function answerOf(response: Response, draining: AbortSignal): Promise<RouteAnswer> {
  const { status } = response;
  const type = response.headers.get("content-type");
  const headers = {
    "cache-control": "no-store",
    ...(type && { "content-type": type }),
    ...(type === eventStreamType && { "x-accel-buffering": "no" }),
  };
  if (type === eventStreamType && response.body) {
    return { status, headers, body: Readable.from(untilDraining(response.body, draining)) };
  }
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status, headers, ...(bytes.length > 0 && { body: bytes }) };
}

/** To its end, or until draining begins: then it ends in order, and the browser asks again. */
async function* untilDraining(body: ReadableStream<Uint8Array>, draining: AbortSignal) {
  try {
    for await (const chunk of body) yield chunk;
  } catch (thrown) {
    if (!draining.aborted) throw thrown;
  }
}
