import type { Graph, RouteDeclaration } from "#host";
import type { Greeting } from "#proto";

export interface GatewayRequest {
  readonly method: RouteDeclaration["method"];
  readonly path: string;
  /** Both or neither. */
  readonly contentType?: string;
  readonly body?: string;
}

export interface Answer {
  /** 0 where there was no answer at all. */
  readonly status: number;
  readonly tookMs: number;
  readonly traceId: string | undefined;
  /** Undefined for an answer that is not made of greetings. */
  readonly greetings: readonly Greeting[] | undefined;
  /** The body of an answer that is neither greetings nor a problem. */
  readonly text: string;
  readonly problem: { readonly title: string; readonly detail: string } | undefined;
}

/** Longer than any deadline of the functions. */
const patienceMs = 30_000;

/** Sends one request. Never rejects: what went wrong is the answer's problem. */
export async function askGateway(
  gateway: string,
  { method, path, contentType, body }: GatewayRequest,
  headers: Record<string, string>,
): Promise<Answer> {
  const since = performance.now();
  const took = () => performance.now() - since;
  try {
    const response = await fetch(new URL(path, gateway), {
      method,
      headers: {
        accept: "application/json",
        ...headers,
        ...(contentType !== undefined && { "content-type": contentType }),
      },
      ...(body !== undefined && { body }),
      cache: "no-store",
      signal: AbortSignal.timeout(patienceMs),
    });
    const text = await response.text();
    const json = parse(text);
    const answer = {
      status: response.status,
      tookMs: took(),
      traceId: traceIdOf(response.headers),
      greetings: undefined,
      text: "",
    };
    if (!response.ok) {
      const { title = response.statusText, detail = "" } = json ?? {};
      return { ...answer, problem: { title: String(title), detail: String(detail) } };
    }
    const greetings = json?.greeting;
    if (Array.isArray(greetings)) return { ...answer, greetings, problem: undefined };
    return { ...answer, text: json ? JSON.stringify(json, null, 2) : text, problem: undefined };
  } catch (error) {
    const detail = `${gateway} does not answer: ${(error as Error).message}`;
    const problem = { title: "No answer", detail };
    return {
      status: 0,
      tookMs: took(),
      traceId: undefined,
      greetings: undefined,
      text: "",
      problem,
    };
  }
}

/** The graph with the routes of each function; undefined where the gateway does not answer. */
export async function graphOfGateway(gateway: string): Promise<Graph | undefined> {
  try {
    // Not sampled, so that the page's own question is not among the requests that it lists.
    const headers = { "x-b3-sampled": "0" };
    const signal = AbortSignal.timeout(patienceMs);
    const response = await fetch(new URL("/api/graph", gateway), { headers, signal });
    return response.ok ? ((await response.json()) as Graph) : undefined;
  } catch {
    return undefined;
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

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
