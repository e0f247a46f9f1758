/**
 * One function on one port: puts the parts together, and takes them apart in order.
 *
 * H1 A host listens as soon as it is started, whether or not its broker and database are there.
 * H2 Closing: readiness fails first; then no connection is accepted; then what is in flight ends,
 *    up to the limit, and is cut off after it; only then are the clients closed that it uses.
 */
import { randomUUID } from "node:crypto";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import { type Config, type Environment, loadConfig } from "./base/config.ts";
import { HostError } from "./base/errors.ts";
import type { PropagatedHeaders } from "./base/headers.ts";
import { createAdmission } from "./call/admission.ts";
import { createCall, type RunningCall } from "./call/call.ts";
import { createServing } from "./call/serving.ts";
import { createGrpcClient } from "./grpc/client.ts";
import { createGrpcServer } from "./grpc/server.ts";
import { createHttpClient } from "./http/client.ts";
import { createHttpServer } from "./http/server.ts";
import type { Definition, OpenFunction, Runtime } from "./kinds/definition.ts";
import { createHealth } from "./serve/health.ts";
import { createLifecycle } from "./serve/lifecycle.ts";
import { startListener } from "./serve/listener.ts";
import { createLogger, type Logger } from "./telemetry/logger.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import { createTracing, type Tracing } from "./telemetry/tracing.ts";

export interface Host {
  readonly port: number;
  readonly log: Logger;
  ready(): boolean;
  connections(): number;
  /** Drains and closes, as H2 says. Idempotent: every caller waits for the same end. */
  close(): Promise<void>;
}

export interface HostOptions {
  env?: Environment;
  log?: Logger;
  /** How long a connection may say nothing before it is closed. */
  silenceMs?: number;
}

/** How long an aborted call may take to answer with its abort. */
const lastWordsMs = 500;

/** How long the broker and the database may take to say goodbye, and the receiver to take the last spans. */
const closeLimitMs = 2_000;

/**
 * Starts a function. `definition` is undefined for a handler that was registered with
 * functions-framework directly: it gets the same port, calls, limits and draining.
 * Throws ERR_CONFIG before anything is opened.
 */
export async function startHost(
  definition: Definition | undefined,
  options: HostOptions = {},
): Promise<Host> {
  const config = loadConfig(options.env, definition && needsOf(definition));
  const name = definition?.name ?? config.target;
  const log = options.log ?? createLogger({ service: name, level: config.logLevel });
  // Loaded only where it is wanted, like the drivers.
  const metrics = config.metrics
    ? (await import("./telemetry/metrics.ts")).createMetrics(name)
    : undefined;
  const tracing = await openTracing(config, log, metrics);
  const clients = {
    http: createHttpClient(config.addressOf, tracing),
    grpc: createGrpcClient(config.addressOf, tracing),
  };
  const targets = definition?.faultTargets;
  const admission = createAdmission({ name, config, targets, onFault: metrics?.fault });
  const runtime: Runtime = {
    name,
    config,
    log,
    tracing,
    metrics,
    admission,
    send: clients.http.send,
    greetingsOf: (callee, call) =>
      clients[admission.protocolOf(callee, call)].greetings(callee.name, call),
  };
  const open = await openFunction(definition, runtime);

  const closeAll = async () => {
    // A server that is stuck does not say goodbye, and must not keep us from ending.
    const limit = new Promise<void>((resolve) => setTimeout(resolve, closeLimitMs).unref());
    const closing = [...open.resources, tracing].map((resource) => resource.close());
    await Promise.race([Promise.all(closing), limit]);
    clients.http.close();
    clients.grpc.close();
    metrics?.close();
  };

  const calls = new Set<RunningCall>();
  const { promise: idle, resolve: onIdle } = Promise.withResolvers<void>();
  const lifecycle = createLifecycle((phase) => log.info({ phase }, phase));
  const health = createHealth(lifecycle, open.resources);
  const draining = () => lifecycle.phase === "draining";

  const begin = (headers: PropagatedHeaders, timeoutMs = config.deadlineMs): RunningCall => {
    const call = createCall({
      headers: { "x-request-id": randomUUID(), ...headers },
      timeoutMs: Math.min(timeoutMs, config.deadlineMs),
      log,
    });
    calls.add(call);
    const end = () => {
      call.end();
      if (calls.delete(call) && calls.size === 0 && draining()) onIdle();
    };
    return { ...call, end };
  };

  const { bodyLimitBytes, corsOrigins } = config;
  const serve = createServing({ tracing, admission });
  const framework = getTestServer(name);
  const http = createHttpServer({
    framework,
    routes: open.routes,
    health,
    metrics,
    bodyLimitBytes,
    corsOrigins,
    draining,
    begin,
    serve,
    admit: admission.admit,
  });
  const grpc = createGrpcServer({
    greetings: open.greetings,
    maxMessageBytes: bodyLimitBytes,
    begin,
    serve,
    admit: admission.admit,
  });
  const listener = await startListener({
    port: config.port,
    host: config.host,
    http,
    acceptHttp2: grpc.accept,
    ...(options.silenceMs && { silenceMs: options.silenceMs }),
  }).catch(async (thrown) => {
    grpc.close();
    await closeAll();
    throw thrown;
  });
  lifecycle.enter("ready");
  metrics?.ready();
  // gRPC's health is pushed to its watchers, so it has to be looked at: it has no question to answer.
  const healthTimer = setInterval(() => grpc.setServing(health.ready()), 500);
  grpc.setServing(health.ready());
  log.info({ port: listener.port }, `listening on port ${listener.port}`);

  const drain = async () => {
    if (!lifecycle.enter("draining")) return;
    clearInterval(healthTimer);
    grpc.setServing(false);
    listener.stop();
    // A moment later than the calls' own end, so that what they answer then still gets out.
    grpc.drain(config.drainTimeoutMs + lastWordsMs);
    if (calls.size === 0) onIdle();
    const limit = setTimeout(() => {
      log.warn({ calls: calls.size }, "the drain limit is reached, calls in flight are cut off");
      for (const call of calls) call.abort(new HostError("ERR_DRAINING", "shutting down"));
      // Aborted calls answer at once; what does not answer even then is left behind.
      setTimeout(onIdle, lastWordsMs);
    }, config.drainTimeoutMs);
    await Promise.all([idle, open.drain?.()]);
    clearTimeout(limit);
    await listener.close();
    grpc.close();
    await closeAll();
    lifecycle.enter("closed");
  };
  let closing: Promise<void> | undefined;
  return {
    port: listener.port,
    log,
    ready: health.ready,
    connections: listener.connections,
    close: () => {
      closing ??= drain();
      return closing;
    },
  };
}

function needsOf({ calls, effects, consumes }: Definition) {
  const uses = (system: string) => effects.some((effect) => effect.system === system);
  return {
    calls: calls.map(({ name }) => name),
    mongodb: uses("mongodb"),
    rabbitmq: uses("rabbitmq") || consumes !== undefined,
  };
}

function openFunction(
  definition: Definition | undefined,
  runtime: Runtime,
): Promise<OpenFunction> | OpenFunction {
  return definition?.open(runtime) ?? { routes: [], resources: [] };
}

/** Without a receiver nothing of OpenTelemetry's SDK is loaded. */
async function openTracing(
  { telemetry }: Config,
  log: Logger,
  metrics: Metrics | undefined,
): Promise<Tracing> {
  const listeners = metrics ? [metrics.record] : [];
  if (!telemetry) return createTracing({ listeners });
  const { startSpans } = await import("./telemetry/otel.ts");
  return createTracing({ spans: startSpans(telemetry, log), listeners });
}
