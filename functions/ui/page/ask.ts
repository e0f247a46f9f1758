import type { Greeting } from "#proto";
import type { Problem } from "../../host/base/errors.ts";

export interface Answer {
  /** 0 where there was no answer at all. */
  readonly status: number;
  readonly tookMs: number;
  readonly traceId: string | undefined;
  readonly greetings: readonly Greeting[];
  readonly problem: Pick<Problem, "title" | "detail"> | undefined;
}

/** Longer than any deadline of the functions. */
const patienceMs = 30_000;

/** Asks the gateway for the whole graph's greetings. Never rejects: what went wrong is the answer's problem. */
export async function askGateway(
  gateway: string,
  headers: Record<string, string>,
): Promise<Answer> {
  const since = performance.now();
  const took = () => performance.now() - since;
  try {
    const response = await fetch(new URL("/api/greeting", gateway), {
      headers: { accept: "application/json", ...headers },
      cache: "no-store",
      signal: AbortSignal.timeout(patienceMs),
    });
    const body = await response.json().catch(() => undefined);
    const answer = {
      status: response.status,
      tookMs: took(),
      traceId: traceIdOf(response.headers),
    };
    if (response.ok) return { ...answer, greetings: body?.greeting ?? [], problem: undefined };
    const title = body?.title ?? response.statusText;
    return { ...answer, greetings: [], problem: { title, detail: body?.detail ?? "" } };
  } catch (error) {
    const detail = `${gateway} does not answer: ${(error as Error).message}`;
    const problem = { title: "No answer", detail };
    return { status: 0, tookMs: took(), traceId: undefined, greetings: [], problem };
  }
}

/** From `traceresponse`, which is formed as W3C's traceparent. */
export function traceIdOf(headers: Headers): string | undefined {
  return /^[\da-f]{2}-([\da-f]{32})-/.exec(headers.get("traceresponse") ?? "")?.[1];
}

/** A problem's detail, cut into the hops that lead to it and what happened there. */
export function pathOf(detail: string): {
  readonly hops: readonly string[];
  readonly reason: string;
} {
  const [, path = "", reason = detail] = /^((?:[\w-]+ > )*[\w-]+): (.*)$/s.exec(detail) ?? [];
  return { hops: path === "" ? [] : path.split(" > "), reason };
}
