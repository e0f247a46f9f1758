import type { PageSettings, Trace, TraceSpan } from "../live.ts";
import { AnswerError, trace } from "./api.ts";
import { element, find, outsideLink, setText } from "./dom.ts";
import { milliseconds, protocolNames, timeOfDay } from "./format.ts";
import { type SpanRow, spanRows } from "./span-tree.ts";

export interface Waterfall {
  open(traceId: string): void;
}

/** Spans come in batches, and F's processing after the answer: so long a new trace is asked for again. */
const growsForMs = 10_000;
const askAgainMs = 500;

/** One request from its begin to the last thing that it caused, as a dialog. */
export function createWaterfall({ traceUrl }: Pick<PageSettings, "traceUrl">): Waterfall {
  const dialog = find("waterfall", HTMLDialogElement);
  const title = find("waterfall-title", HTMLElement);
  const facts = find("waterfall-facts", HTMLElement);
  const list = find("waterfall-spans", HTMLElement);
  const axis = find("waterfall-axis", HTMLElement);
  const links = find("waterfall-links", HTMLElement);
  find("waterfall-close", HTMLButtonElement).addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  let shown = "";

  const show = (found: Trace) => {
    setText(title, found.name);
    facts.replaceChildren(
      fact("Began", timeOfDay(found.startedAt)),
      fact("Took", milliseconds(found.durationMs)),
      fact("Spans", String(found.timeline.length)),
      fact("Result", found.failed ? "failed" : "succeeded", found.failed ? "bad" : undefined),
      fact("Trace", found.traceId, "trace-id"),
    );
    const opened = new Set(
      [...list.querySelectorAll("details[open]")].map((row) => row.getAttribute("data-span")),
    );
    // What goes through the queue ends after the answer.
    const ends = found.timeline.map(({ offsetMs, durationMs }) => offsetMs + durationMs);
    const totalMs = Math.max(found.durationMs, 0.001, ...ends);
    showAxis(axis, totalMs);
    const rows = spanRows(found).map((row) => {
      const made = rowElement(row, totalMs);
      made.open = opened.has(row.span.spanId);
      return element("li", {}, made);
    });
    list.replaceChildren(...rows);
  };

  const follow = async (traceId: string) => {
    const end = performance.now() + growsForMs;
    let spans = 0;
    while (dialog.open && shown === traceId && performance.now() < end) {
      try {
        const found = await trace(traceId);
        if (shown !== traceId) return;
        if (found.timeline.length !== spans) show(found);
        spans = found.timeline.length;
        if (Date.now() - Date.parse(found.startedAt) > growsForMs) return;
      } catch (error) {
        const missing = error instanceof AnswerError && error.status === 404;
        setText(title, missing ? "Waiting for its spans" : "The trace cannot be had");
        if (!missing) return;
      }
      await new Promise((resolve) => setTimeout(resolve, askAgainMs));
    }
    if (dialog.open && shown === traceId && spans === 0)
      setText(title, "This trace is not kept here");
  };

  return {
    open(traceId) {
      shown = traceId;
      setText(title, "Loading the trace");
      facts.replaceChildren(fact("Trace", traceId, "trace-id"));
      list.replaceChildren();
      axis.replaceChildren();
      const elsewhere = traceUrl?.replaceAll("{traceId}", encodeURIComponent(traceId));
      links.replaceChildren(
        ...(elsewhere ? [outsideLink("Open in the tracing system", elsewhere)] : []),
      );
      if (!dialog.open) dialog.showModal();
      void follow(traceId);
    },
  };
}

function fact(name: string, value: string, kind?: string): HTMLElement {
  return element("div", {}, element("dt", {}, name), element("dd", { class: kind }, value));
}

function showAxis(axis: HTMLElement, totalMs: number): void {
  const quarters = [0, 1, 2, 3, 4].map((quarter) => {
    const mark = element("span", {}, milliseconds((quarter / 4) * totalMs));
    mark.style.left = `${quarter * 25}%`;
    return mark;
  });
  axis.replaceChildren(...quarters);
}

function rowElement(row: SpanRow, totalMs: number): HTMLDetailsElement {
  const { span, depth, protocol, fromQueue, queuedMs } = row;
  const name = element("span", { class: "span-name" });
  name.style.setProperty("--depth", String(Math.min(depth, 16)));
  const peer = span.kind === "client" ? span.attributes["server.service.name"] : undefined;
  const who = peer === undefined ? span.service : `${span.service} to ${peer}`;
  name.append(element("b", {}, who), " ", span.name);
  if (fromQueue) {
    const waited = queuedMs === undefined ? "" : `, waited ${milliseconds(Math.max(0, queuedMs))}`;
    name.append(" ", element("span", { class: "badge queue-hop" }, `through the queue${waited}`));
  }
  for (const event of span.events) {
    const fault = event.name === "fault.injected";
    name.append(
      " ",
      element("span", { class: `badge${fault ? " fault" : ""}` }, eventText(event.name)),
    );
  }
  if (span.error !== null) name.append(" ", element("span", { class: "span-error" }, span.error));
  const took = element("span", { class: "span-time" }, milliseconds(span.durationMs));
  const summary = element("summary", {}, name, took, track(row, totalMs));
  return element(
    "details",
    {
      class: `span ${protocol ?? "internal"}${span.error === null ? "" : " failed"}`,
      "data-span": span.spanId,
    },
    summary,
    detailsOf(span, protocol),
  );
}

function eventText(name: string): string {
  if (name === "fault.injected") return "fault injected";
  return name;
}

/** The bar on the common time axis; figures beside it say the same in words. */
function track({ span }: SpanRow, totalMs: number): HTMLElement {
  const percent = (ms: number) => Math.min(100, Math.max(0, (ms / totalMs) * 100));
  const bar = element("span", { class: "bar" });
  bar.style.left = `${percent(span.offsetMs)}%`;
  bar.style.width = `${Math.max(0.3, percent(span.durationMs))}%`;
  const ticks = span.events.map((event) => {
    const tick = element("span", {
      class: `tick${event.name === "fault.injected" ? " fault" : ""}`,
    });
    tick.style.left = `${percent(event.offsetMs)}%`;
    return tick;
  });
  return element("span", { class: "track", "aria-hidden": "true" }, bar, ...ticks);
}

function detailsOf(span: TraceSpan, protocol: SpanRow["protocol"]): HTMLElement {
  const rows: [string, string][] = [
    ["kind", protocol ? `${span.kind}, ${protocolNames[protocol]}` : span.kind],
    ["begins after", milliseconds(span.offsetMs)],
    ...Object.entries(span.attributes).map(([key, value]): [string, string] => [
      key,
      String(value),
    ]),
    ...span.events.map(({ name, offsetMs }): [string, string] => [
      `event ${name}`,
      milliseconds(offsetMs),
    ]),
    ...span.links.map(({ traceId, spanId }): [string, string] => [
      "linked to",
      `${traceId} ${spanId}`,
    ]),
    ["span id", span.spanId],
  ];
  return element("dl", { class: "attributes" }, ...rows.map(([key, value]) => fact(key, value)));
}
