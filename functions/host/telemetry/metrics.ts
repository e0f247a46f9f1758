/**
 * A host's figures for Prometheus: rate, errors and durations of what it does (RED), per function and per
 * edge, and what its queue, its database, its process and its faults show. Names and labels are those of
 * OpenTelemetry's semantic conventions, as Prometheus writes them, where these have one. Every series names
 * the function in `service_name`; an edge names its other end in `server_service_name`, or by its destination.
 */
import { setTimeout as wait } from "node:timers/promises";
import {
  Counter,
  Gauge,
  Histogram,
  type OpenMetricsContentType,
  Registry,
  type RegistryContentType,
} from "@prometheus-io/client";
import type { RouteAnswer } from "../base/answer.ts";
import { parseMediaType } from "../base/media-type.ts";
import { families } from "./metric-families.ts";
import type { Outcome } from "./operation.ts";
import { watchProcess } from "./process-metrics.ts";
import { countWakes } from "./wake-metrics.ts";

export interface Metrics {
  /** Counts an operation that has ended; one that is none of the families below is left out. */
  record(outcome: Outcome): void;
  /** Counts a fault that a request has brought along. */
  fault(action: string): void;
  /** The documents of one insert into a collection, named "database.collection". */
  batch(namespace: string, size: number): void;
  /** Records the delivery lag of a stored event by its `time`; events without one are skipped. */
  delivered(time: string | undefined): void;
  /** `look` is asked at each scrape; a queue that it does not answer in time is left out of that one. */
  watchQueues(look: () => Promise<readonly QueueFigures[]>): void;
  /** `ageSeconds` is the age of the oldest message that was taken from the queue and is not settled. */
  watchAge(queue: string, ageSeconds: () => number): void;
  /** Shows these functions as not woken yet. */
  expectWakes(names: Iterable<string>): void;
  /** The host takes requests from now on. */
  ready(): void;
  /** GET /metrics: OpenMetrics, which has the exemplars, for clients that accept it, else Prometheus' own text. */
  answer(accept: string | undefined): Promise<RouteAnswer>;
  close(): void;
}

export interface QueueFigures {
  readonly queue: string;
  /** Messages that wait to be taken. */
  readonly depth: number;
  readonly consumers: number;
}

/** How long a scrape waits for what has to be asked of a server. */
const lookMs = 500;

const methods = new Set("GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY".split(" "));

export function createMetrics(name: string): Metrics {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registers = [registry];
  registry.setDefaultLabels({ service_name: name });

  const histograms = families.map((family) => {
    const attributes = [family.by, ...family.labels, "error.type"];
    const { metric: name, help, buckets } = family;
    const labelNames = attributes.map(labelOf);
    const settings = { name, help, labelNames, registers, buckets: [...buckets] };
    const histogram = new Histogram({ ...settings, enableExemplars: true });
    return { family, attributes, histogram, series: new Map<string, Record<string, string>>() };
  });
  const queueGauge = (
    what: string,
    help: string,
    look: () => Promise<(readonly [queue: string, value: number])[]>,
  ) => {
    new Gauge({
      name: `messaging_queue_${what}`,
      help,
      labelNames: ["messaging_system_name", "messaging_destination_name"],
      registers,
      async collect() {
        const found = await look();
        this.reset();
        for (const [queue, value] of found) this.set(labelsOf(queue), value);
      },
    });
  };

  const faults = new Counter({
    name: "faults_injected_total",
    help: "Faults that requests brought along, and that happened",
    labelNames: ["fault_action"],
    registers,
  });
  const coldStarts = new Counter({
    name: "faas_coldstarts_total",
    help: "Requests that were the first of their instance",
    registers,
  });
  const start = new Gauge({
    name: "faas_init_duration_seconds",
    help: "From the process's start until the function took requests",
    registers,
  });
  const batches = new Histogram({
    name: "db_client_operation_batch_size",
    help: "Documents that went into the database by one insert",
    labelNames: ["db_namespace", "db_collection_name"],
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    registers,
  });
  // Made by its first event: most functions get none.
  let lags: Histogram | undefined;
  const createLags = () =>
    new Histogram({
      name: "cloudevents_delivery_lag_seconds",
      help: "From an event's time until it was stored",
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600],
      registers,
    });
  const ages = new Map<string, () => number>();
  const stopWatching = watchProcess(registers);
  const wakes = countWakes(registers);

  let rendering: Promise<unknown> = Promise.resolve();
  // One at a time: the format is the registry's, and OpenMetrics takes "_total" from the names of its
  // counters, for good.
  const render = (format: RegistryContentType): Promise<string> => {
    const inFormat: Registry<RegistryContentType> = registry;
    const text = rendering.then(async () => {
      const names = registry.getMetricsAsArray().map((metric) => ({ metric, name: metric.name }));
      inFormat.setContentType(format);
      try {
        return await registry.metrics();
      } finally {
        for (const { metric, name } of names) metric.name = name;
        inFormat.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
      }
    });
    rendering = text.catch(() => {});
    return text;
  };

  return {
    record({ kind, attributes: given, durationSeconds: value, errorType, traceId, spanId }) {
      if (kind === "internal") return wakes.add(given["faas.invoked_name"], errorType);
      const found = histograms.find(
        ({ family }) => family.kind === kind && given[family.by] !== undefined,
      );
      if (!found || !Number.isFinite(value)) return;
      const values = found.attributes.map((attribute) =>
        labelValue(attribute, attribute === "error.type" ? errorType : given[attribute]),
      );
      const key = values.join("\n");
      let labels = found.series.get(key);
      if (!labels) {
        labels = Object.fromEntries(
          found.attributes.map((name, i) => [labelOf(name), values[i] ?? ""]),
        );
        found.series.set(key, labels);
      }
      const exemplarLabels = traceId && spanId ? { trace_id: traceId, span_id: spanId } : {};
      found.histogram.observe({ labels, value, exemplarLabels });
      if (given["faas.coldstart"] === true) coldStarts.inc();
    },
    fault: (action) => faults.inc({ fault_action: action }),
    batch(namespace, size) {
      const [database = "", collection = ""] = namespace.split(/\.(.*)/s, 2);
      const labels = { db_namespace: database, db_collection_name: collection };
      batches.observe(labels, size);
    },
    delivered(time) {
      const lagSeconds = (Date.now() - Date.parse(time ?? "")) / 1_000;
      if (!Number.isFinite(lagSeconds)) return;
      lags ??= createLags();
      // Its sender's clock may be ahead of ours.
      lags.observe(Math.max(0, lagSeconds));
    },
    watchQueues(look) {
      let asked: Promise<readonly QueueFigures[]> | undefined;
      const ask = () => {
        // A server that is stuck is not asked again by each scrape.
        asked ??= look().finally(() => {
          asked = undefined;
        });
        return Promise.race([asked, wait(lookMs, [], { ref: false })]).catch(() => []);
      };
      queueGauge("depth", "Messages that wait in the queue; none that was taken", async () =>
        (await ask()).map(({ queue, depth }) => [queue, depth]),
      );
      queueGauge("consumers", "Consumers of the queue", async () =>
        (await ask()).map(({ queue, consumers }) => [queue, consumers]),
      );
    },
    watchAge(queue, ageSeconds) {
      ages.set(queue, ageSeconds);
      if (ages.size > 1) return;
      const help =
        "Age of the oldest message that was taken from the queue and is not settled; 0 for none";
      queueGauge("oldest_message_age_seconds", help, async () =>
        [...ages].map(([queue, ageSeconds]) => [queue, ageSeconds()] as const),
      );
    },
    expectWakes: wakes.expect,
    ready: () => start.set(performance.now() / 1_000),
    async answer(accept = "") {
      const format = prefersOpenMetrics(accept)
        ? Registry.OPENMETRICS_CONTENT_TYPE
        : Registry.PROMETHEUS_CONTENT_TYPE;
      const body = Buffer.from(await render(format));
      return { status: 200, headers: { "content-type": format }, body };
    },
    close: stopWatching,
  };
}

/** By the weights of the list (RFC 9110, 12.5.1). Only a client that names OpenMetrics gets it. */
function prefersOpenMetrics(accept: string): boolean {
  const weights = new Map(
    accept.split(",").map((item) => {
      const { essence, parameters } = parseMediaType(item);
      return [essence, Number(parameters.q ?? 1)] as const;
    }),
  );
  const open = weights.get("application/openmetrics-text") ?? 0;
  const text = ["text/plain", "text/*", "*/*"].find((type) => weights.has(type));
  return open > 0 && open >= (weights.get(text ?? "") ?? 0);
}

function labelOf(attribute: string): string {
  return attribute.replaceAll(".", "_");
}

/** Empty where there is none, which is the same to Prometheus. */
function labelValue(attribute: string, value: unknown): string {
  // Anybody can send a method of his own making, and each would be a series.
  if (attribute === "http.request.method" && !methods.has(String(value))) return "_OTHER";
  return value === undefined ? "" : String(value);
}

function labelsOf(queue: string) {
  return { messaging_system_name: "rabbitmq", messaging_destination_name: queue };
}
