import type { DeadLetterList, PageSettings, Trace, TraceSummary } from "../live.ts";
import { livePath } from "../live-contract.ts";

/** What the graph's elements, the panel and the traces are asked by. */
export type Selection =
  | { readonly kind: "all" }
  | { readonly kind: "node"; readonly name: string }
  | { readonly kind: "edge"; readonly from: string; readonly to: string };

export class AnswerError extends Error {
  override readonly name = "AnswerError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function pageSettings(): Promise<PageSettings> {
  return getJson("api/page");
}

/** The newest requests that went over the selected edge, or through the node; of all: through the gateway. */
export async function recentTraces(selection: Selection): Promise<readonly TraceSummary[]> {
  const query = new URLSearchParams({ limit: "20" });
  if (selection.kind === "edge") query.set("edge", `${selection.from}>${selection.to}`);
  else query.set("node", selection.kind === "node" ? selection.name : "gateway");
  return (await getJson<{ traces: readonly TraceSummary[] }>(`${at("traces")}?${query}`)).traces;
}

export function trace(traceId: string): Promise<Trace> {
  return getJson(at("trace", { traceId }));
}

export async function control(name: string, action: "stop" | "start"): Promise<void> {
  await answerOf(at(action, { name }), { method: "POST" });
}

/** Undefined where there is no such queue. */
export async function deadLettersOf(queue: string): Promise<DeadLetterList | undefined> {
  const { queues } = await getJson<{ queues: readonly DeadLetterList[] }>(at("deadLetters"));
  return queues.find((list) => list.queue === queue);
}

/** Of the whole queue without an id. Resolves to how many went back to it. */
export async function retryDeadLetters(queue: string, id?: string): Promise<number> {
  const query = new URLSearchParams({ queue, ...(id !== undefined && { id }) });
  const response = await answerOf(`${at("retryDeadLetters")}?${query}`, { method: "POST" });
  return ((await response.json()) as { retried: readonly unknown[] }).retried.length;
}

export function logsUrl(name: string): string {
  return at("logs", { name });
}

export const eventsUrl = at("events");

/** Relative to the page, wherever that is served. */
function at(...path: Parameters<typeof livePath>): string {
  return livePath(...path).slice(1);
}

async function getJson<Answer>(path: string): Promise<Answer> {
  const response = await answerOf(path, { headers: { accept: "application/json" } });
  return (await response.json()) as Answer;
}

async function answerOf(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { ...init, cache: "no-store" });
  if (response.ok) return response;
  const { detail } = await response.json().catch(() => ({ detail: undefined }));
  throw new AnswerError(response.status, detail ?? `${response.status} ${response.statusText}`);
}
