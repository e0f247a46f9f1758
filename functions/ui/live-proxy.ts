import { Readable } from "node:stream";
import type { RouteAnswer } from "#host/base/answer";
import { HostError, reasonOf } from "#host/base/errors";
import type { Route, RouteRequest } from "#host/http/route";
import { eventStreamType } from "./event-stream.ts";
import { refuseForeignPages } from "./security.ts";

/** Answers the page's questions as the local run's live server does, by asking it. */
export function liveProxy(url: string): { routes: readonly Route[]; end(): void } {
  const ending = new AbortController();

  const passOn = async (path: string, method: Route["method"], request: RouteRequest) => {
    const { call, query } = request;
    const target = new URL(path, url);
    target.search = String(query);
    const signal = AbortSignal.any([call.signal, ending.signal]);
    const response = await fetch(target, { method, signal }).catch((cause) => {
      throw new HostError("ERR_CALLEE", `the local run: ${reasonOf(cause)}`, { cause });
    });
    return answerOf(response, ending.signal);
  };
  const route = (method: Route["method"], path: string, guarded = false): Route => ({
    method,
    path,
    handle(request) {
      if (guarded) refuseForeignPages(request.headers, method === "POST");
      return passOn(fill(path, request.parameters), method, request);
    },
  });
  return {
    routes: [
      route("GET", "/api/graph/live"),
      route("GET", "/api/graph/events"),
      route("GET", "/api/traces"),
      route("GET", "/api/traces/{traceId}"),
      route("POST", "/api/functions/{name}/stop", true),
      route("POST", "/api/functions/{name}/start", true),
      route("GET", "/api/functions/{name}/logs", true),
    ],
    end: () => ending.abort(),
  };
}

async function answerOf(response: Response, ending: AbortSignal): Promise<RouteAnswer> {
  const { status } = response;
  const type = response.headers.get("content-type");
  const headers = {
    "cache-control": "no-store",
    ...(type && { "content-type": type }),
    ...(type === eventStreamType && { "x-accel-buffering": "no" }),
  };
  if (type === eventStreamType && response.body) {
    return { status, headers, body: Readable.from(untilEnding(response.body, ending)) };
  }
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status, headers, ...(bytes.length > 0 && { body: bytes }) };
}

/** To its end, or to ours: then it ends in order, and the browser asks again. */
async function* untilEnding(body: ReadableStream<Uint8Array>, ending: AbortSignal) {
  try {
    for await (const chunk of body) yield chunk;
  } catch (thrown) {
    if (!ending.aborted) throw thrown;
  }
}

function fill(path: string, parameters: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(parameters[name] ?? ""));
}
