/**
 * What Istio's metrics show of the graph, and the functions' own of what was woken. Reported by the caller's sidecar, so
 * that a request counts once, and one that never arrived counts too. The activator's own requests are left out: it only
 * passes on those of others, which their callers have reported, by the name of the service that they asked for.
 */
import { HostError, reasonOf } from "#host";

/** Several scrapes long: Prometheus' usual interval is 15 s. */
export const windowSeconds = 60;

export interface IstioFigures {
  /** Of functions of which several revisions got requests, those revisions, the oldest first. */
  readonly revisions: ReadonlyMap<string, readonly string[]>;
  readonly requests: readonly RequestCount[];
  readonly durations: readonly Duration[];
  /** A wake is one of the requests above, and no call. */
  readonly wakes: readonly { readonly from: string; readonly to: string; readonly count: number }[];
  /** By caller, both ways, of connections that Istio does not look into. */
  readonly bytes: readonly { readonly from: string; readonly perSecond: number }[];
}

export interface RequestCount {
  readonly from: string;
  /** The node: by `revisionNode`, where the function has several revisions. */
  readonly to: string;
  readonly protocol: "http" | "grpc";
  readonly count: number;
  readonly failed: number;
}

export interface Duration {
  /** Undefined: of all callers together. */
  readonly from: string | undefined;
  readonly to: string;
  readonly share: Share;
  readonly ms: number;
}

const shares = ["0.5", "0.95", "0.99"] as const;
export type Share = (typeof shares)[number];

export interface IstioNames {
  /** The functions of the graph; what else is in the mesh is left out. */
  readonly functions: readonly string[];
  /** Which of them Knative's RabbitmqSource stands for. */
  readonly bridge: string | undefined;
  readonly namespace: string | undefined;
}

/** Throws a HostError that says why Prometheus cannot be asked. */
export async function askIstio(
  url: string,
  names: IstioNames,
  signal = AbortSignal.timeout(timeoutMs),
): Promise<IstioFigures> {
  const queries = queriesFor(names);
  // All of one moment, a second ago: what was scraped until then is stored, and shares are of the same samples.
  const time = String(Date.now() / 1_000 - 1);
  const ask = (text: string) => query(url, { query: text, time }, signal);
  const [all, failed, ofFunctions, wakes, bytes] = await Promise.all([
    ask(queries.requests),
    ask(queries.failed),
    ask(queries.durations),
    ask(queries.wakes),
    ask(queries.bytes),
  ]);
  const failures = new Map(failed.map(({ metric, value }) => [keyOf(metric), value]));
  const revisions = severalIn(all);
  const split = [...revisions.keys()];
  const ofRevisions = split.length > 0 ? await ask(queries.durationsOf(split)) : [];
  const whole = ofFunctions.filter(({ metric }) => !revisions.has(metric.to ?? ""));
  const nodeOf = ({ to = "", revision }: Sample["metric"]) =>
    revision && revision !== revisions.get(to)?.[0] && revisions.has(to)
      ? revisionNode(to, revision)
      : to;
  return {
    revisions,
    requests: all.map(({ metric, value }) => ({
      from: metric.from ?? "",
      to: nodeOf(metric),
      protocol: metric.request_protocol === "grpc" ? "grpc" : "http",
      count: value,
      failed: failures.get(keyOf(metric)) ?? 0,
    })),
    durations: [...whole, ...ofRevisions].flatMap(({ metric, value }) => {
      const share = shares.find((one) => one === metric.share);
      if (!share || !Number.isFinite(value)) return [];
      return [{ from: metric.from || undefined, to: nodeOf(metric), share, ms: value }];
    }),
    wakes: wakes.flatMap(({ metric: { from = "", to = "" }, value }) =>
      value > 0 ? [{ from, to, count: value }] : [],
    ),
    bytes: bytes.map(({ metric, value }) => ({ from: metric.from ?? "", perSecond: value })),
  };
}

/** The node of a revision that is not its function's oldest. */
export function revisionNode(of: string, revision: string): string {
  return `${of} ${revision}`;
}

/** Functions of which more than one revision got requests. Knative counts revisions in their names. */
function severalIn(samples: readonly Sample[]): Map<string, string[]> {
  const asked = samples.filter(({ metric, value }) => metric.revision && value > 0);
  const byName = Map.groupBy(asked, ({ metric }) => metric.to ?? "");
  return new Map(
    [...byName].flatMap(([to, all]): [string, string[]][] => {
      const names = [...new Set(all.map(({ metric }) => metric.revision ?? ""))].sort();
      return names.length > 1 ? [[to, names]] : [];
    }),
  );
}

const timeoutMs = 4_000;

/** PromQL by its result. `from` and `to` are functions, whatever their revisions are called. */
export function queriesFor(names: IstioNames) {
  const callers = `(${[...names.functions, "istio-ingressgateway"].join("|")})(-.*)?`;
  const callees = `(${names.functions.join("|")})(-.*)?`;
  const revisions = `(?:${names.functions.join("|")})-(.+?)(?:-private)?`;
  const source = "rabbitmqsource-.*";
  const selector = (...more: string[]) => {
    const { namespace } = names;
    const matchers = [
      'reporter="source"',
      'source_workload!="activator"',
      ...(namespace ? [`destination_service_namespace="${namespace}"`] : []),
      `destination_service_name=~"${callees}"`,
      ...more,
    ];
    return `{${matchers.join(", ")}}`;
  };
  const named = (vector: string) => {
    const to = `label_replace(${vector}, "to", "$1", "destination_service_name", "${callees}")`;
    const revision = `label_replace(${to}, "revision", "$1", "destination_service_name", "${revisions}")`;
    return fromCaller(revision);
  };
  const fromCaller = (vector: string) => {
    const from = `label_replace(${vector}, "from", "$1", "source_workload", "${callers}")`;
    if (!names.bridge) return from;
    return `label_replace(${from}, "from", "${names.bridge}", "source_workload", "${source}")`;
  };
  const range = `[${windowSeconds}s]`;
  const count = (...more: string[]) => `increase(istio_requests_total${selector(...more)}${range})`;
  const byEdge = (vector: string) =>
    `sum by (from, to, revision, request_protocol) (${named(vector)})`;
  const quantiles = (groups: readonly string[], ...more: string[]) => {
    const rate = `rate(istio_request_duration_milliseconds_bucket${selector(...more)}${range})`;
    const of = (share: Share, by: string) => {
      const quantile = `histogram_quantile(${share}, sum by (${by}, le) (${named(rate)}))`;
      return `label_replace(${quantile}, "share", "${share}", "", "")`;
    };
    return shares.flatMap((share) => groups.map((by) => of(share, by))).join(" or ");
  };
  // Envoy reports 0 for a request whose connection failed. A gRPC call fails with the HTTP status 200.
  const failed = [count('response_code=~"0|5.."'), count('grpc_response_status=~"[1-9][0-9]*"')];
  const users = [
    'reporter="source"',
    `source_workload=~"(${[...names.functions, ...(names.bridge ? ["rabbitmqsource"] : [])].join("|")})(-.*)?"`,
    ...(names.namespace ? [`source_workload_namespace="${names.namespace}"`] : []),
  ].join(", ");
  const flow = (metric: string) => fromCaller(`rate(${metric}{${users}}${range})`);
  const functions = names.functions.join("|");
  const inNamespace = names.namespace ? `, namespace="${names.namespace}"` : "";
  const woken = `faas_wakes_total{faas_invoked_name=~"${functions}"${inNamespace}}`;
  const copied = (vector: string, to: string, label: string) =>
    `label_replace(${vector}, "${to}", "$1", "${label}", "(.*)")`;
  return {
    requests: byEdge(count()),
    failed: byEdge(`(${failed.join(" or ")})`),
    durations: quantiles(["from, to", "to"]),
    /** Of these functions, by their revisions. */
    durationsOf: (functions: readonly string[]) =>
      quantiles(
        ["from, to, revision", "to, revision"],
        `destination_service_name=~"(${functions.join("|")})-.*"`,
      ),
    wakes: `sum by (from, to) (${copied(copied(`increase(${woken}${range})`, "from", "service_name"), "to", "faas_invoked_name")})`,
    bytes: `sum by (from) (${flow("istio_tcp_sent_bytes_total")}) + sum by (from) (${flow("istio_tcp_received_bytes_total")})`,
  };
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

interface QueryAnswer {
  readonly status?: string;
  readonly error?: string;
  readonly data?: { readonly result?: { metric: Sample["metric"]; value: [number, string] }[] };
}

/** An instant query: Prometheus' HTTP API, /api/v1/query. */
async function query(
  url: string,
  asked: { query: string; time: string },
  signal: AbortSignal,
): Promise<Sample[]> {
  try {
    const body = new URLSearchParams(asked);
    const response = await fetch(`${url}/api/v1/query`, { method: "POST", body, signal });
    const answer = (await response.json()) as QueryAnswer;
    if (answer.status !== "success") throw new Error(answer.error ?? `status ${response.status}`);
    const result = answer.data?.result ?? [];
    return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  } catch (cause) {
    throw new HostError("ERR_CALLEE", `Prometheus: ${reasonOf(cause)}`, { cause });
  }
}

function keyOf({ from, to, revision, request_protocol }: Sample["metric"]): string {
  return `${from}>${to} ${revision} ${request_protocol}`;
}
