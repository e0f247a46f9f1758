/**
 * The page's entry, and its only file that knows the others:
 * - live-feed.ts follows the graph by server-sent events, api.ts asks for the rest; ask.ts asks the gateway
 * - graph-section.ts: graph-view.ts draws (graph-elements.ts what, graph-style.ts how, layout.ts where, curve.ts the
 *   edges), traffic.ts moves dots along the edges, graph-buttons.ts is what one clicks, graph-table.ts the same as tables
 * - panel.ts shows what is selected, with request-list.ts, logs.ts and dead-letter-list.ts; waterfall.ts one request
 *   (span-tree.ts)
 * - sender.ts sends requests, steady-load.ts many, target-form.ts says to which function (offers.ts, sample-body.ts),
 *   faults-form.ts lets them fail; greetings.ts lists the answers
 * - announce.ts speaks to screen readers; theme.ts, format.ts, dom.ts and download.ts help all
 */

import type { LiveGraph, PageSettings } from "../live.ts";
import { createAnnouncer } from "./announce.ts";
import { pageSettings, type Selection } from "./api.ts";
import { find, outsideLink, setText } from "./dom.ts";
import { createFaultsForm, type FaultsForm } from "./faults-form.ts";
import { milliseconds, rate, share } from "./format.ts";
import { createGraphSection } from "./graph-section.ts";
import { createGreetings } from "./greetings.ts";
import { type Connection, followGraph } from "./live-feed.ts";
import { createPanel, type Panel } from "./panel.ts";
import { createSender, type Sender } from "./sender.ts";
import { createThemeButton } from "./theme-button.ts";
import { createWaterfall } from "./waterfall.ts";

const retryMs = 1_000;

const connectionTexts: Readonly<Record<Connection, string>> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Connection lost, trying again",
};

const announcer = createAnnouncer();
const section = createGraphSection((selection) => {
  selected = selection;
  panel?.select(selection);
});
let selected: Selection = { kind: "all" };
let graph: LiveGraph | undefined;
let panel: Panel | undefined;
let faults: FaultsForm | undefined;
let sender: Sender | undefined;

createThemeButton(section.repaint);
// The graph needs no settings, and is drawn before they are there.
followGraph(
  (whole) => {
    graph = withoutFrontEnd(whole);
    section.update(graph);
    panel?.update(graph);
    faults?.update(graph);
    sender?.update(graph);
    announcer.graph(graph);
    summarize(graph);
  },
  (connection) => {
    announcer.connection(connection);
    showConnection(connection);
  },
);
start(await settingsAtLast());

function start(settings: PageSettings): void {
  const waterfall = createWaterfall(settings);
  const greetings = createGreetings();
  panel = createPanel(settings, waterfall.open, announcer.say);
  faults = createFaultsForm(settings.faults);
  if (settings.kialiUrl) find("tools", HTMLElement).append(outsideLink("Kiali", settings.kialiUrl));
  sender = createSender({
    gateway: settings.gateway,
    faults: faults.headers,
    onAnswer: (answer) => greetings.add(answer.greetings ?? []),
    onOpenTrace: waterfall.open,
    say: announcer.say,
  });
  panel.select(selected);
  if (!graph) return;
  panel.update(graph);
  faults.update(graph);
  sender.update(graph);
}

/** Without its settings the page can do nothing, so it asks until it has them. */
async function settingsAtLast(): Promise<PageSettings> {
  for (;;) {
    try {
      return await pageSettings();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

function showConnection(connection: Connection): void {
  setText(find("connection", HTMLElement), connectionTexts[connection]);
  document.documentElement.dataset.connection = connection;
}

/** It serves this page, and takes no part in what the graph shows, unless something was seen between it and others. */
function withoutFrontEnd(graph: LiveGraph): LiveGraph {
  const joined = new Set(graph.edges.flatMap(({ from, to }) => [from, to]));
  return {
    ...graph,
    nodes: graph.nodes.filter(({ kind, name }) => kind !== "ui" || joined.has(name)),
  };
}

function summarize({ nodes, source, windowSeconds }: LiveGraph): void {
  const figures = nodes.find(({ kind }) => kind === "gateway")?.figures;
  setText(find("summary-rate", HTMLElement), figures ? rate(figures.requestsPerSecond) : "–");
  setText(find("summary-p95", HTMLElement), milliseconds(figures?.p95 ?? null));
  const errors = find("summary-errors", HTMLElement);
  setText(errors, figures ? share(figures.errorShare) : "–");
  errors.classList.toggle("bad", (figures?.errorShare ?? 0) > 0);
  const from = { spans: "the functions' spans", prometheus: "Prometheus", none: undefined }[source];
  const text = from ? `Figures of the last ${windowSeconds} s, from ${from}` : "No figures here";
  setText(find("source", HTMLElement), text);
}
