/**
 * What Istio's metrics show of the graph, and the functions' own of what was woken. Reported by the caller's sidecar, so that a request counts once, and one
 * that never arrived counts too. The activator's own requests are left out: it only passes on those of others, which
 * their callers have reported, by the name of the service that they asked for.
 */
import { HostError, reasonOf } from "#host";

/** Several scrapes long: Prometheus' usual interval is 15 s. */
export const windowSeconds = 60;

export interface IstioFigures {
  readonly requests: readonly RequestCount[];
  readonly durations: readonly Duration[];
  /** A wake is one of the requests above, and no call. */
  readonly wakes: readonly { readonly from: string; readonly to: string; readonly count: number }[];
  /** By caller, both ways, of connections that Istio does not look into. */
  readonly bytes: readonly { readonly from: string; readonly perSecond: number }[];
}

export interface RequestCount {
  readonly from: string;
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
  const ask = (name: keyof typeof queries) => query(url, { query: queries[name], time }, signal);
  const [all, failed, durations, wakes, bytes] = await Promise.all([
    ask("requests"),
    ask("failed"),
    ask("durations"),
    ask("wakes"),
    ask("bytes"),
  ]);
  const failures = new Map(failed.map(({ metric, value }) => [keyOf(metric), value]));
  return {
    requests: all.map(({ metric, value }) => ({
      from: metric.from ?? "",
      to: metric.to ?? "",
      protocol: metric.request_protocol === "grpc" ? "grpc" : "http",
      count: value,
      failed: failures.get(keyOf(metric)) ?? 0,
    })),
    durations: durations.flatMap(({ metric, value }) => {
      const share = shares.find((one) => one === metric.share);
      if (!share || !Number.isFinite(value)) return [];
      return [{ from: metric.from || undefined, to: metric.to ?? "", share, ms: value }];
    }),
    wakes: wakes.flatMap(({ metric: { from = "", to = "" }, value }) =>
      value > 0 ? [{ from, to, count: value }] : [],
    ),
    bytes: bytes.map(({ metric, value }) => ({ from: metric.from ?? "", perSecond: value })),
  };
}

const timeoutMs = 4_000;

/** PromQL by its result. `from` and `to` are functions, whatever their revisions are called. */
export function queriesFor(names: IstioNames) {
  const callers = `(${[...names.functions, "istio-ingressgateway"].join("|")})(-.*)?`;
  const callees = `(${names.functions.join("|")})(-.*)?`;
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
    return fromCaller(to);
  };
  const fromCaller = (vector: string) => {
    const from = `label_replace(${vector}, "from", "$1", "source_workload", "${callers}")`;
    if (!names.bridge) return from;
    return `label_replace(${from}, "from", "${names.bridge}", "source_workload", "${source}")`;
  };
  const range = `[${windowSeconds}s]`;
  const count = (...more: string[]) => `increase(istio_requests_total${selector(...more)}${range})`;
  const byEdge = (vector: string) => `sum by (from, to, request_protocol) (${named(vector)})`;
  const buckets = named(`rate(istio_request_duration_milliseconds_bucket${selector()}${range})`);
  const quantile = (share: Share, by: string) =>
    `label_replace(histogram_quantile(${share}, sum by (${by}, le) (${buckets})), "share", "${share}", "", "")`;
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
    durations: shares
      .flatMap((share) => [quantile(share, "from, to"), quantile(share, "to")])
      .join(" or "),
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

function keyOf({ from, to, request_protocol }: Sample["metric"]): string {
  return `${from}>${to} ${request_protocol}`;
}
