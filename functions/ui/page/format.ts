import type { Figures, LiveEdge, LiveNode } from "../live.ts";

/** How a protocol is written, on the graph as in the tables. */
export const protocolNames: Readonly<Record<LiveEdge["protocol"], string>> = {
  http: "HTTP",
  grpc: "gRPC",
  amqp: "AMQP",
  mongodb: "MongoDB",
  cloudevents: "CloudEvents",
};

export const kindNames: Readonly<Record<LiveNode["kind"], string>> = {
  greeter: "Function",
  subscriber: "Subscriber",
  handler: "Function",
  gateway: "Gateway",
  bridge: "Bridge",
  queue: "RabbitMQ queue",
  collection: "MongoDB collection",
  ui: "Front-end",
  function: "Function",
};

/** A node's name as a person says it. */
export function shortName(name: string): string {
  return name.replace(/^mongodb:/, "").replace(/^rabbitmq:/, "queue ");
}

/** With the revision's name, where the function has several. */
export function nodeName({ name, revision }: Pick<LiveNode, "name" | "revision">): string {
  return revision ? `${revision.of} ${revision.name}` : shortName(name);
}

/** What a node is, with its part of the function's requests where there are several revisions. */
export function kindName({ kind, revision }: Pick<LiveNode, "kind" | "revision">): string {
  if (!revision || revision.share === null) return kindNames[kind];
  return `${kindNames[kind]}, ${share(revision.share)} of the requests`;
}

export function edgeName({ from, to }: Pick<LiveEdge, "from" | "to">): string {
  return `${shortName(from)} to ${shortName(to)}`;
}

export function rate(perSecond: number): string {
  return `${perSecond === 0 ? 0 : perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)}/s`;
}

export function bytes(perSecond: number): string {
  const [size, unit] = perSecond < 1_000 ? [perSecond, "B"] : [perSecond / 1_000, "kB"];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}/s`;
}

export function milliseconds(ms: number | null): string {
  if (ms === null) return "–";
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${ms > 0 && ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

export function share(part: number): string {
  if (part === 0) return "0%";
  const percent = part * 100;
  return `${percent < 10 ? percent.toFixed(1) : Math.round(percent)}%`;
}

/** For a queue that has some; "" for every other node. */
export function deadLettersText({ deadLetters }: Pick<LiveNode, "deadLetters">): string {
  return deadLetters ? `dead letters: ${deadLetters}` : "";
}

/** Time of day with tenths, as a list of requests within one minute needs it. */
export function timeOfDay(at: string | number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  const seconds = (date.getSeconds() + date.getMilliseconds() / 1_000).toFixed(1).padStart(4, "0");
  return [date.getHours(), date.getMinutes()].map(twoDigits).concat(seconds).join(":");
}

/** The day too, for what may be older than today. */
export function dayAndTime(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return at;
  const day = [date.getFullYear(), ...[date.getMonth() + 1, date.getDate()].map(twoDigits)];
  return `${day.join("-")} ${timeOfDay(at)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** What may be shown along the edges; all of it is in the panel and in the table. */
export const edgeFigures = {
  rate: ({ requestsPerSecond }: Figures) => rate(requestsPerSecond),
  p50: ({ p50 }: Figures) => milliseconds(p50),
  p95: ({ p95 }: Figures) => milliseconds(p95),
  p99: ({ p99 }: Figures) => milliseconds(p99),
  errors: ({ errorShare }: Figures) => `err ${share(errorShare)}`,
} as const;

export type EdgeFigure = keyof typeof edgeFigures;

/** All figures in one sentence, for those who hear them. */
export function spoken(figures: Figures): string {
  if (figures.requests === 0) return "no requests";
  const { requestsPerSecond, errorShare, p50, p95, p99 } = figures;
  const times = [
    `p50 ${milliseconds(p50)}`,
    `p95 ${milliseconds(p95)}`,
    `p99 ${milliseconds(p99)}`,
  ];
  return [rate(requestsPerSecond), ...times, `${share(errorShare)} errors`].join(", ");
}
