/**
 * One function on one port: puts the parts together, and takes them apart in order.
 *
 * H1 A host listens as soon as it is started, whether or not its broker and database are there.
 * H2 Closing: readiness fails first; then no connection is accepted; then what is in flight ends,
 *    up to the limit, and is cut off after it; only then are the clients closed that it uses.
 */
import type { Environment } from "./base/config.ts";
import { HostError } from "./base/errors.ts";
import { grpcServerOnDemand } from "./grpc/on-demand.ts";
import { createHttpServer } from "./http/server.ts";
import type { Definition } from "./kinds/definition.ts";
import { greetingService } from "./kinds/greetings.ts";
import { openFunction } from "./kinds/open.ts";
import { createHealth } from "./serve/health.ts";
import { createLifecycle } from "./serve/lifecycle.ts";
import { type ConnectionLimits, connectionLimits } from "./serve/limits.ts";
import { startListener } from "./serve/listener.ts";
import type { Logger } from "./telemetry/logger.ts";

export interface Host {
  readonly port: number;
  readonly log: Logger;
  ready(): boolean;
  /** Settles when the first request is answered. */
  readonly first: Promise<void>;
  connections(): number;
  /** Loads what later requests may need: for the compile cache of an image. */
  preload(): Promise<void>;
  /** Drains and closes, as H2 says. Idempotent: every caller waits for the same end. */
  close(): Promise<void>;
}

export interface HostOptions {
  env?: Environment;
  log?: Logger;
  limits?: Partial<ConnectionLimits>;
}

/** How long an aborted call may take to answer with its abort. */
const lastWordsMs = 500;

/**
 * Starts a function. `definition` is undefined for a handler that was registered with
 * functions-framework directly: it gets the same port, calls, limits and draining.
 * Throws ERR_CONFIG before anything is opened.
 */
export async function startHost(
  definition: Definition | undefined,
  options: HostOptions = {},
): Promise<Host> {
  const opened = await openFunction(definition, options);
  const { runtime, serving, open } = opened;
  const { config, log, metrics } = runtime;
  const limits = { ...connectionLimits, ...options.limits };
  const lifecycle = createLifecycle((phase) => log.info({ phase }, phase));
  // Anybody may ask a public function, and could have it believe that all below it is awake.
  const onWake = definition?.deploy.public ? undefined : runtime.wake?.woken;
  const health = createHealth(lifecycle, open.resources, onWake);
  const services = open.greetings ? [greetingService(open.greetings)] : [];
  const grpc = grpcServerOnDemand({
    services: [...services, ...(open.services ?? [])],
    maxMessageBytes: config.bodyLimitBytes,
    serving,
    limits,
  });
  // Wrong ones are to stop the start.
  if (open.services?.length) await grpc.load();
  const http = createHttpServer({
    handle: opened.road,
    probe: health.answer,
    metrics,
    corsOrigins: config.corsOrigins,
    draining: () => lifecycle.phase === "draining",
    limits,
  });
  const listener = await startListener({
    port: config.port,
    host: config.host,
    http,
    acceptHttp2: grpc.accept,
    silenceMs: limits.silenceMs,
  }).catch(async (thrown) => {
    grpc.close();
    await opened.close();
    throw thrown;
  });
  lifecycle.enter("ready");
  metrics?.ready();
  // gRPC's health is pushed to its watchers, so it has to be looked at: no request asks for it.
  const healthTimer = setInterval(() => grpc.setServing(health.ready()), 500);
  grpc.setServing(health.ready());
  log.info({ port: listener.port }, `listening on port ${listener.port}`);
  // Not before: the first answers need none of it.
  setImmediate(() => opened.preload().catch((err) => log.error({ err }, "could not load")));

  const drain = async () => {
    if (!lifecycle.enter("draining")) return;
    clearInterval(healthTimer);
    grpc.setServing(false);
    const heard = listener.stop();
    // A moment later than the calls' own end, so that what they answer then still gets out.
    grpc.drain(config.drainTimeoutMs + lastWordsMs);
    opened.drain();
    const { promise: cutOff, resolve } = Promise.withResolvers<void>();
    const limit = setTimeout(() => {
      const calls = serving.abortAll(new HostError("ERR_DRAINING", "shutting down"));
      log.warn({ calls }, "the drain limit is reached, calls in flight are cut off");
      // Aborted calls answer at once; what does not answer even then is left behind.
      setTimeout(resolve, lastWordsMs);
    }, config.drainTimeoutMs);
    await Promise.all([Promise.race([heard.then(serving.idle), cutOff]), open.drain?.()]);
    clearTimeout(limit);
    await listener.close();
    grpc.close();
    await opened.close();
    lifecycle.enter("closed");
  };
  let closing: Promise<void> | undefined;
  return {
    port: listener.port,
    log,
    ready: health.ready,
    first: serving.first,
    preload: async () => void (await Promise.all([opened.preload(), grpc.load()])),
    connections: listener.connections,
    close: () => {
      closing ??= drain();
      return closing;
    },
  };
}
