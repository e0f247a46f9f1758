/**
 * A kubectl for tests of knative/cluster/canary, run as a command: it keeps one Knative Service in the file CLUSTER, and
 * runs here what is to run in a pod. A cluster's own part, readiness and routing, is not in it.
 */
import { spawn } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Traffic {
  readonly revisionName?: string;
  readonly latestRevision?: boolean;
  readonly percent: number;
  readonly tag?: string;
}

export interface Cluster {
  service: {
    metadata: { generation: number; labels: Record<string, string> };
    spec: {
      template: { spec: { containers: { image: string }[] } };
      traffic?: readonly Traffic[];
    };
    status: {
      observedGeneration: number;
      latestCreatedRevisionName: string;
      conditions: { type: string; status: string }[];
      traffic: { revisionName: string; percent?: number; tag?: string }[];
    };
  };
  /** Where each tag's revision answers. */
  urls: Record<string, string>;
  /** What the traffic was set to, one after the other. */
  moves: (readonly Traffic[])[];
  /** The pods that are there, by what they were made of. */
  pods: Record<string, string>;
}

interface Operation {
  readonly path: string;
  readonly value: unknown;
}

export const kubectlFile = fileURLToPath(import.meta.url);

if (process.argv[1] === kubectlFile) await main(process.argv.slice(2));

async function main(args: string[]): Promise<void> {
  const file = process.env.CLUSTER ?? "";
  const cluster = JSON.parse(readFileSync(file, "utf8")) as Cluster;
  const [verb, ...rest] = args[0] === "-n" ? args.slice(2) : args;
  const template = rest.at(-1)?.replace(/^jsonpath=/, "") ?? "";
  const named = `${verb} ${rest[0]}`;
  if (named === "get ksvc") process.stdout.write(rendered(template, cluster.service));
  else if (named === "get revision") process.stdout.write("registry/service-c:1");
  else if (named === "patch ksvc") patch(cluster, JSON.parse(template) as Operation[]);
  else if (named === "delete pod") delete cluster.pods[rest[1] ?? ""];
  else if (verb === "apply") {
    const made = readFileSync(0, "utf8");
    cluster.pods[/^ {2}name: (.+)$/m.exec(made)?.[1] ?? ""] = made;
  } else if (verb === "exec") process.exitCode = await run(rest, cluster);
  if (verb === "exec") return;
  // At once: the test reads it meanwhile.
  writeFileSync(`${file}.new`, JSON.stringify(cluster));
  renameSync(`${file}.new`, file);
}

function patch({ service, moves }: Cluster, operations: readonly Operation[]): void {
  const { spec, status, metadata } = service;
  for (const { path, value } of operations) {
    if (path === "/spec/traffic") spec.traffic = value as Traffic[];
    else {
      spec.template.spec.containers[0] = { image: String(value) };
      status.latestCreatedRevisionName = "service-c-00003";
    }
  }
  metadata.generation += 1;
  status.observedGeneration = metadata.generation;
  status.traffic = (spec.traffic ?? []).map(({ latestRevision, revisionName = "", ...one }) => ({
    revisionName: latestRevision ? status.latestCreatedRevisionName : revisionName,
    ...one,
  }));
  moves.push(spec.traffic ?? []);
}

/** As much of kubectl's JSONPath as the script uses. */
function rendered(template: string, object: unknown): string {
  const ranges = template.replaceAll(/\{range (\S+)\[\*\]\}(.*?)\{end\}/g, (_, path, inner) =>
    (at(object, path) as unknown[]).map((one) => rendered(inner, one)).join(""),
  );
  return ranges.replaceAll(/\{(".*?"|[^{}"]*(?:"[^"]*"[^{}"]*)?)\}/g, (_, path: string) =>
    path.startsWith('"') ? JSON.parse(path) : String(at(object, path) ?? ""),
  );
}

function at(object: unknown, path: string): unknown {
  const [, list, key = "", value, last = ""] =
    /^(.+)\[\?\(@\.(\w+)=="(\w+)"\)\]\.(\w+)$/.exec(path) ?? [];
  if (list) {
    const found = (at(object, list) as Record<string, unknown>[]).find((one) => one[key] === value);
    return found?.[last];
  }
  const keys = [...path.matchAll(/\.((?:\\.|[^.[\\])+)|\[(\d+)\]/g)].map(([, name, index]) =>
    (name ?? index ?? "").replaceAll("\\", ""),
  );
  return keys.reduce((one, name) => (one as Record<string, unknown> | undefined)?.[name], object);
}

/** The command behind `--`, with this machine's Node and the addresses of the tags. */
function run(args: readonly string[], { urls }: Cluster): Promise<number> {
  const command = args
    .slice(args.indexOf("--") + 2)
    .map((arg) =>
      arg.replace(/^http:\/\/(stable|canary)-service-c\.dev/, (_, tag: string) => urls[tag] ?? ""),
    );
  const child = spawn(process.execPath, command, { stdio: "inherit" });
  process.once("SIGTERM", () => child.kill());
  return new Promise((resolve) => child.once("close", (code) => resolve(code ?? 143)));
}
