/**
 * Container entry: runs the function that FUNCTION_TARGET names until it is told to stop, or, with
 * the argument --declare-queues, declares its queues and ends; with --once, starts, stops and ends, which
 * shows that an image holds what it needs, and fills its compile cache.
 *
 *   index          what a function may import
 *   greeter        a function that greets; subscriber, gateway and bridge are the other kinds; ui's is in its folder
 *   definition     the types that all kinds share
 *   effects        what may be done with a greeting: mongo saves, publisher publishes
 *   host           one function on one port, and its end
 *   listener       tells HTTP/1.1 from gRPC by a connection's first bytes
 *   http-server    the HTTP face; exchange ties a request to functions-framework and its routes,
 *                  http-operation to its span
 *   grpc-server    the gRPC face, with health and reflection
 *   http-client    calls a function over HTTP; grpc-client over gRPC
 *   call           what belongs to one request: signal, deadline, headers, logger
 *   admission      which of the headers that travel along are heeded here: faults, protocol, log level
 *   headers        the headers that travel along every hop; trace-context reads and writes the trace's
 *   tracing        where every operation begins and ends; otel makes spans of them, and loads the SDK
 *   serving        a request's place in its trace, its log lines and its access line
 *   semantics      attributes by OpenTelemetry's conventions, of which operation is the type
 *   amqp           one connection to RabbitMQ; queue and declare declare, event-message converts
 *   batch          group commit; backoff: jittered waits
 *   metrics        figures for Prometheus: of operations by metric-families, and process-metrics
 *   graph          definitions as nodes and edges
 *   health, lifecycle, config, telemetry-config, errors, logger
 */
import { targetOf } from "./base/config.ts";
import { HostError } from "./base/errors.ts";
import { type Host, startHost } from "./host.ts";
import type { Definition } from "./kinds/definition.ts";

/** Exit codes: 0 stopped as told, 1 failed, 2 wrong configuration. */
try {
  const definition = await loadDefinition(targetOf());
  if (definition && process.argv.includes("--declare-queues")) {
    const { declareQueues } = await import("./events/declare.ts");
    await declareQueues(definition);
  } else if (process.argv.includes("--once")) {
    const host = await startHost(definition);
    await host.close();
    process.exit(0);
  } else stopWhenTold(await startHost(definition));
} catch (thrown) {
  const wrongConfig = thrown instanceof HostError && thrown.code === "ERR_CONFIG";
  process.stderr.write(`${wrongConfig ? thrown.message : (thrown as Error).stack}\n`);
  process.exit(wrongConfig ? 2 : 1);
}

/** Undefined where the folder's index.ts exports none: it then registered a handler of its own. */
async function loadDefinition(target: string | undefined): Promise<Definition | undefined> {
  if (!target) return undefined;
  try {
    const module: { default?: Definition } = await import(`../${target}/index.ts`);
    return module.default;
  } catch (thrown) {
    const { code, url } = thrown as NodeJS.ErrnoException & { url?: string };
    if (code !== "ERR_MODULE_NOT_FOUND" || !url?.endsWith(`/${target}/index.ts`)) throw thrown;
    const detail = `FUNCTION_TARGET=${target}: there is no functions/${target}/index.ts`;
    throw new HostError("ERR_CONFIG", `wrong configuration:\n- ${detail}`, { cause: thrown });
  }
}

function stopWhenTold(host: Host): void {
  const stop = (why: string) => {
    host.log.info({ why }, "stopping");
    host.close().then(
      () => process.exit(0),
      (err) => {
        host.log.fatal({ err }, "could not stop in order");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // A parent that dies without a word (the local run, killed) must not leave this process behind.
  process.on("disconnect", () => stop("the parent is gone"));
  // Whoever read the logs may go before we do; that is no reason to fail.
  process.stdout.on("error", () => {});
  process.on("uncaughtException", (err) => {
    host.log.fatal({ err }, "failed, the process ends");
    process.exit(1);
  });
}
