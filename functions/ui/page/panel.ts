import {
  type Figures,
  type LiveEdge,
  type LiveGraph,
  type LiveNode,
  type PageSettings,
  triggeredKinds,
} from "../live.ts";
import { control, type Selection } from "./api.ts";
import { createDeadLetterList } from "./dead-letter-list.ts";
import { find, setText } from "./dom.ts";
import {
  bytes,
  deadLettersText,
  edgeName,
  kindName,
  milliseconds,
  nodeName,
  protocolNames,
  rate,
  share,
  shortName,
} from "./format.ts";
import { createLogs } from "./logs.ts";
import { createRequestList } from "./request-list.ts";

export interface Panel {
  select(selection: Selection): void;
  update(graph: LiveGraph): void;
}

const functionKinds: readonly string[] = [...triggeredKinds, "gateway", "bridge"];

/** Figures and last requests of what is selected; of a function what can be done with it here, of a queue its dead letters. */
export function createPanel(
  settings: PageSettings,
  onOpenTrace: (traceId: string) => void,
  say: (text: string) => void,
): Panel {
  const title = find("panel-title", HTMLElement);
  const kind = find("panel-kind", HTMLElement);
  const state = find("panel-state", HTMLElement);
  const actions = find("panel-actions", HTMLElement);
  const power = find("panel-power", HTMLButtonElement);
  const follow = find("panel-logs", HTMLButtonElement);
  const logBox = find("logs", HTMLElement);
  const logArea = find("logs-area", HTMLElement);
  const logs = createLogs(logBox, find("logs-note", HTMLElement));
  const requests = createRequestList(
    find("requests", HTMLElement),
    find("requests-note", HTMLElement),
    onOpenTrace,
  );
  const deadLetters = createDeadLetterList(onOpenTrace, say);
  let selected: Selection = { kind: "all" };
  let graph: LiveGraph | undefined;
  let seen = -1;

  const showLogs = (open: boolean) => {
    logArea.hidden = !open;
    follow.setAttribute("aria-expanded", String(open));
    setText(follow, open ? "Close the log" : "Follow the log");
    if (open && selected.kind === "node") logs.follow(selected.name);
    else logs.stop();
  };
  follow.addEventListener("click", () => showLogs(logArea.hidden !== false));
  power.addEventListener("click", async () => {
    if (selected.kind !== "node") return;
    const { name } = selected;
    const action = power.dataset.action === "start" ? "start" : "stop";
    power.disabled = true;
    try {
      await control(name, action);
    } catch (error) {
      say(`${name} did not ${action}: ${(error as Error).message}`);
      setText(state, (error as Error).message);
    } finally {
      power.disabled = false;
    }
  });

  const render = () => {
    if (!graph) return;
    const node = nodeOf(graph, selected);
    const edges = edgesOf(graph, selected);
    const figures = node?.figures ?? edges[0]?.figures;
    if (selected.kind === "all") {
      setText(title, "The whole graph");
      setText(kind, `Through the gateway, the last ${graph.windowSeconds} s`);
    } else if (selected.kind === "node") {
      setText(title, node ? nodeName(node) : shortName(selected.name));
      setText(kind, node ? kindName(node) : "");
    } else {
      setText(title, edgeName(selected));
      setText(kind, edges.map(describeEdge).join(", "));
    }
    if (settings.deadLetters) deadLetters.show(selected.kind === "node" ? node : undefined);
    const controlled = selected.kind === "node" && functionKinds.includes(node?.kind ?? "");
    showState(state, selected.kind === "node" ? node : undefined);
    actions.hidden = !(settings.control && controlled);
    const stopped = node?.state === "stopped";
    power.dataset.action = stopped ? "start" : "stop";
    setText(power, stopped ? "Start it" : "Stop it");
    power.classList.toggle("danger", !stopped);
    showFigures(figures);
    const count = figures?.requests ?? 0;
    if (count !== seen || count > 0) requests.refresh();
    seen = count;
  };

  return {
    select(selection) {
      selected = selection;
      showLogs(false);
      requests.select(selection);
      render();
    },
    update(next) {
      graph = next;
      render();
    },
  };
}

function nodeOf({ nodes }: LiveGraph, selection: Selection): LiveNode | undefined {
  if (selection.kind === "edge") return undefined;
  const wanted = selection.kind === "node" ? selection.name : "gateway";
  return nodes.find(({ name }) => name === wanted);
}

function edgesOf({ edges }: LiveGraph, selection: Selection): readonly LiveEdge[] {
  if (selection.kind !== "edge") return [];
  return edges
    .filter(({ from, to }) => from === selection.from && to === selection.to)
    .sort((a, b) => b.figures.requests - a.figures.requests);
}

function describeEdge({ protocol, declared, bytesPerSecond }: LiveEdge): string {
  const flow = bytesPerSecond === undefined ? "" : `, ${bytes(bytesPerSecond)}`;
  return `${protocolNames[protocol]}${flow}${declared ? "" : ", seen but not declared"}`;
}

function showState(place: HTMLElement, node: LiveNode | undefined): void {
  const known = node && node.state !== "unknown" ? node.state : undefined;
  const depth = typeof node?.depth === "number" ? `${node.depth} waiting` : undefined;
  const woken = node?.woken ? "woken" : undefined;
  const dead = node && deadLettersText(node);
  setText(place, [known ?? depth, woken, dead].filter(Boolean).join(", "));
  place.dataset.state = known ?? "";
}

function showFigures(figures: Figures | undefined): void {
  const set = (id: string, text: string) => setText(find(id, HTMLElement), text);
  set("figure-rate", figures ? rate(figures.requestsPerSecond) : "–");
  set("figure-p50", milliseconds(figures?.p50 ?? null));
  set("figure-p95", milliseconds(figures?.p95 ?? null));
  set("figure-p99", milliseconds(figures?.p99 ?? null));
  set("figure-errors", figures ? share(figures.errorShare) : "–");
  set("figure-requests", figures ? String(figures.requests) : "–");
  find("figure-errors", HTMLElement).classList.toggle("bad", (figures?.errorShare ?? 0) > 0);
}
