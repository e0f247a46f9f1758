import type { TraceSummary } from "../live.ts";
import { recentTraces, type Selection } from "./api.ts";
import { button, element, setText } from "./dom.ts";
import { milliseconds, timeOfDay } from "./format.ts";

export interface RequestList {
  /** Asks for those of another node or edge. */
  select(selection: Selection): void;
  /** Asks again, once a second at most. */
  refresh(): void;
}

const refreshMs = 900;

/** The last requests through what is selected; each opens its waterfall. */
export function createRequestList(
  list: HTMLElement,
  note: HTMLElement,
  onOpen: (traceId: string) => void,
): RequestList {
  let selected: Selection = { kind: "all" };
  let asked = 0;
  let shown = "";

  const load = async () => {
    const selection = selected;
    asked = performance.now();
    try {
      const traces = await recentTraces(selection);
      if (selection !== selected) return;
      setText(note, traces.length === 0 ? "None yet." : "");
      const key = JSON.stringify(traces);
      if (key !== shown) render(traces);
      shown = key;
    } catch {
      if (selection === selected) setText(note, "The last requests cannot be had at the moment.");
    }
  };

  const render = (traces: readonly TraceSummary[]) => {
    const focused = document.activeElement?.getAttribute("data-trace");
    list.replaceChildren(...traces.map((summary) => element("li", {}, row(summary))));
    if (focused) list.querySelector<HTMLElement>(`[data-trace="${CSS.escape(focused)}"]`)?.focus();
  };

  const row = ({ traceId, name, startedAt, durationMs, spans, failed }: TraceSummary) => {
    const made = button("", () => onOpen(traceId), { class: "request", "data-trace": traceId });
    made.append(
      element("span", { class: failed ? "mark bad" : "mark" }, failed ? "failed" : "ok"),
      element("span", { class: "request-name" }, name),
      element("span", { class: "request-time" }, timeOfDay(startedAt)),
      element("span", { class: "request-spans" }, `${spans} spans`),
      element("span", { class: "request-took" }, milliseconds(durationMs)),
    );
    return made;
  };

  return {
    select(selection) {
      selected = selection;
      shown = "";
      list.replaceChildren();
      setText(note, "Loading");
      void load();
    },
    refresh() {
      if (performance.now() - asked >= refreshMs && !document.hidden) void load();
    },
  };
}
