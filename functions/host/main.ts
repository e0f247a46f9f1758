/**
 * Container entry: runs the function that FUNCTION_TARGET names until a signal, or, with
 * the arguments --declare-queues [QUEUE ...], declares its queues and those named, and ends; with --once, starts, stops and ends, which
 * shows that an image holds what it needs, and fills its compile cache.
 *
 *   index         what a function may import
 *   host          one function on one port, and its end
 *   kinds/        handler is what every kind is made of: greeter, subscriber; gateway, bridge and ui are in their folders.
 *                 definition is their data, open what they stand on
 *   serve/        listener knows HTTP/1.1 and gRPC apart by a connection's first bytes; limits, lifecycle, health
 *   http/         server, the road of a request, routes, answers; client; plain for plain handlers
 *   grpc/         server, services, reflection; client
 *   call/         call is what belongs to one request; serving is the one road of both protocols; admission
 *                 decides what a request may ask for, faults is one of those things; wake starts a graph at zero
 *   events/       event reads CloudEvents, publisher writes them; amqp is the one connection to RabbitMQ
 *   store/        mongo saves by group commit (batch), over the one client of database
 *   telemetry/    tracing is where every operation begins and ends; otel makes spans, metrics figures, logger lines
 *   stacks        in a bundle: errors name the repository's files
 *   base/         config, errors, headers, and what else depends on nothing
 */
import { leaveOutMaglev } from "./base/compiler.ts";
import { targetOf } from "./base/config.ts";
import { HostError } from "./base/errors.ts";
import { type Host, startHost } from "./host.ts";
import type { Definition } from "./kinds/definition.ts";

/** Exit codes: 0 stopped by a signal, 1 failed, 2 wrong configuration. */
async function main(): Promise<void> {
  const definition = await loadDefinition(targetOf());
  const flag = process.argv.indexOf("--declare-queues");
  if (definition && flag >= 0) {
    const { declareQueues } = await import("./events/declare.ts");
    await declareQueues(definition, { others: process.argv.slice(flag + 1) });
  } else if (process.argv.includes("--once")) {
    const host = await startHost(definition);
    await host.preload();
    await host.close();
    process.exit(0);
  } else {
    const host = await startHost(definition);
    stopWhenTold(host);
    await host.first;
    // A moment later: what is loaded from then on is compiled without Node's own cache.
    setTimeout(leaveOutMaglev, 1_000).unref();
  }
}

// A module that waits at its top level cannot be bundled as CommonJS, which starts faster.
main().catch((thrown) => {
  const { code, port } = thrown as NodeJS.ErrnoException & { port?: number };
  if (code === "EADDRINUSE") {
    process.stderr.write(`port ${port} is taken by another process: set PORT to a free one\n`);
    process.exit(1);
  }
  const wrongConfig = thrown instanceof HostError && thrown.code === "ERR_CONFIG";
  process.stderr.write(`${wrongConfig ? thrown.message : (thrown as Error).stack}\n`);
  process.exit(wrongConfig ? 2 : 1);
});

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
  // The reader of the logs may end before we do; that is no reason to fail.
  process.stdout.on("error", () => {});
  // A promise that a handler has let go of: its request is answered already, and others are at work.
  process.on("unhandledRejection", (err) => {
    host.log.error({ err }, "a promise that nothing waits for was rejected");
  });
  process.on("uncaughtException", (err) => {
    host.log.fatal({ err }, "failed, the process ends");
    process.exit(1);
  });
}
