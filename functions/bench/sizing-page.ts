/** The tables of knative/SIZING.md, as Markdown. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadFunctions } from "../local/discover.ts";
import { root } from "../local/tool-env.ts";
import { clusterSize, functionSizes, inputsOf, limitsOf, rates } from "./sizing.ts";

export const sizingPage = join(root, "knative/SIZING.md");
const entry = "gateway";

/** Computed from the inputs of the page itself, and the declared graph. */
export async function sizingLines(page = readFileSync(sizingPage, "utf8")): Promise<string[]> {
  const input = inputsOf(page);
  const graph = (await loadFunctions()).flatMap(({ definition }) =>
    definition ? [definition] : [],
  );
  const sizes = functionSizes(graph, entry, input);
  const clusters = rates.map((rate) => clusterSize(graph, sizes, input, rate));
  return [
    ...table(
      ["function", "one pod, requests/s", "latency, ms", "target", ...rates.map(pods)],
      sizes.map((one) => [
        one.name,
        whole(one.podPerSecond),
        one.latencyMs.toFixed(1),
        whole(one.target),
        ...rates.map((rate) => whole(one.podsAt(rate))),
      ]),
    ),
    "",
    ...table(
      ["requests/s", ...rates.map(whole)],
      [
        ["pods of functions", ...clusters.map((one) => whole(one.pods))],
        ["cores of functions and sources", ...clusters.map((one) => some(one.functionCores))],
        ["cores of sidecars and queue-proxies", ...clusters.map((one) => some(one.meshCores))],
        ["memory of all pods, GiB", ...clusters.map((one) => some(one.memoryGib))],
        ["cores of the broker", ...clusters.map((one) => some(one.brokerCores))],
        ["quorum queues", ...clusters.map((one) => whole(one.queues))],
        ["RabbitmqSources", ...clusters.map((one) => whole(one.sources))],
        ["documents/s", ...clusters.map((one) => whole(one.documentsPerSecond))],
        ["cores of the database", ...clusters.map((one) => some(one.databaseCores))],
        ["database shards", ...clusters.map((one) => whole(one.shards))],
      ],
    ),
    "",
    ...table(
      ["holds up to, requests/s", "what saturates", "what to change then"],
      limitsOf(graph, sizes, input).map(({ perSecond, what, change }) => [
        whole(perSecond),
        what,
        change,
      ]),
    ),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

const pods = (rate: number) => `pods at ${whole(rate)}`;

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function some(value: number): string {
  return value < 10 ? value.toFixed(1) : whole(Math.ceil(value));
}
