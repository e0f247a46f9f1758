/** Opens a function with everything that it stands on but a port: configuration, telemetry, clients, effects. */
import { setTimeout as wait } from "node:timers/promises";
import { type Config, type Environment, loadConfig } from "../base/config.ts";
import { HostError } from "../base/errors.ts";
import { createAdmission } from "../call/admission.ts";
import { createGuard } from "../call/guard.ts";
import type { Runtime } from "../call/runtime.ts";
import { createServing, type Serving } from "../call/serving.ts";
import type { WakeParts } from "../call/wake.ts";
import { grpcClientOnDemand } from "../grpc/on-demand.ts";
import { createHttpClient } from "../http/client.ts";
import { byRoute, createRoad, type Road } from "../http/road.ts";
import { createLogger, type Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { createTracing, type Tracing } from "../telemetry/tracing.ts";
import type { Definition, OpenFunction } from "./definition.ts";

export interface Opened {
  readonly runtime: Runtime;
  readonly serving: Serving;
  readonly open: OpenFunction;
  /** A request's way to the function's routes, or through functions-framework's server to a plain handler. */
  readonly road: Road;
  /** Loads what is not needed until the first call of a callee. */
  preload(): Promise<void>;
  /** Draining begins: aborts the runtime's signal. */
  drain(): void;
  /** Closes the clients that the function uses. */
  close(): Promise<void>;
}

/** How long the broker and the database may take to say goodbye, and the receiver to take the last spans. */
const closeLimitMs = 2_000;

/**
 * `definition` is undefined for a handler that was registered with functions-framework directly. Throws
 * ERR_CONFIG before anything is opened.
 */
export async function openFunction(
  definition: Definition | undefined,
  options: { env?: Environment | undefined; log?: Logger | undefined },
): Promise<Opened> {
  if (definition && definition.problems.length > 0) throw declarationError(definition);
  const config = loadConfig(options.env, definition && needsOf(definition));
  const name = definition?.name ?? config.target;
  const log = options.log ?? createLogger({ service: name, level: config.logLevel });
  // Loaded only where it is wanted, like the drivers.
  const metrics = config.metrics
    ? (await import("../telemetry/metrics.ts")).createMetrics(name)
    : undefined;
  const tracing = await openTracing(config, log, metrics);
  // A callee that is slow leaves half of the requests that we take to the others.
  const wake = await openWake(config, { tracing, metrics });
  const guard = createGuard(Math.ceil(config.maxConcurrentRequests / 2), wake);
  const clients = {
    http: createHttpClient(config.addressOf, tracing, guard),
    grpc: grpcClientOnDemand(config.addressOf, tracing, guard),
  };
  const targets = definition?.faultTargets;
  const admission = createAdmission({ name, config, targets, onFault: metrics?.fault });
  const draining = new AbortController();
  const runtime: Runtime = {
    name,
    config,
    log,
    tracing,
    metrics,
    wake,
    admission,
    draining: draining.signal,
    send: clients.http.send,
    invoke: clients.grpc.invoke,
    greetingsOf: (callee, call) =>
      clients[admission.protocolOf(callee, call)].greetings(callee.name, call),
  };
  const open: OpenFunction = definition
    ? await definition.open(runtime)
    : { routes: [], resources: [] };
  const serving = createServing({ config, log, tracing, admission });
  const answer = definition ? byRoute(open.routes) : await byPlainHandler(name);
  return {
    runtime,
    serving,
    open,
    road: createRoad({ serving, bodyLimitBytes: config.bodyLimitBytes, answer }),
    async preload() {
      if (definition?.calls.some(({ protocol }) => protocol === "grpc")) await clients.grpc.load();
    },
    drain: () => draining.abort(),
    async close() {
      // A server that is stuck does not say goodbye, and must not keep us from ending.
      const limit = wait(closeLimitMs, undefined, { ref: false });
      const closing = [...open.resources, tracing].map((resource) => resource.close());
      await Promise.race([Promise.all(closing), limit]);
      wake?.close();
      clients.http.close();
      clients.grpc.close();
      metrics?.close();
    },
  };
}

function declarationError({ name, problems }: Definition): HostError {
  const list = problems.map((problem) => `- ${problem}`).join("\n");
  return new HostError("ERR_CONFIG", `wrong declaration of ${name}:\n${list}`);
}

function needsOf({ name, kind, calls, effects }: Definition) {
  const uses = (system: string) => effects.some((effect) => effect.system === system);
  return {
    name,
    calls: calls.map(({ name }) => name),
    mongodb: uses("mongodb"),
    rabbitmq: uses("rabbitmq") || kind === "bridge",
  };
}

/** Express and the rest of that framework's server, which a defined function does not need. */
async function byPlainHandler(name: string) {
  const { byFramework } = await import("../http/plain.ts");
  return byFramework(name);
}

/** Where nothing is below the function, or nothing is to be woken, it is not loaded. */
async function openWake({ wake, addressOf }: Config, parts: Omit<WakeParts, "addressOf">) {
  if (!wake) return undefined;
  const { createWake } = await import("../call/wake.ts");
  return createWake(wake, { addressOf, ...parts });
}

/** Without a receiver nothing of OpenTelemetry's SDK is loaded. */
async function openTracing(
  { telemetry }: Config,
  log: Logger,
  metrics: Metrics | undefined,
): Promise<Tracing> {
  const listeners = metrics ? [metrics.record] : [];
  if (!telemetry) return createTracing({ listeners });
  const { startSpans } = await import("../telemetry/otel.ts");
  return createTracing({ spans: startSpans(telemetry, log), listeners });
}
