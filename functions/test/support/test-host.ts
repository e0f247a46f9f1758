/** A host for tests: on a free port, with its log lines kept. Not for functions. */
import { addressVariable, type Environment } from "#host/base/config";
import { type Host, startHost } from "#host/host";
import type { Definition } from "#host/kinds/definition";
import type { ConnectionLimits } from "#host/serve/limits";
import { createLogger } from "#host/telemetry/logger";

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

export interface TestHost extends Host, AsyncDisposable {
  /** "127.0.0.1:port", for a caller's configuration. */
  readonly address: string;
  /** Everything that it has logged, from level debug on. */
  readonly logs: readonly LogLine[];
}

export interface TestHostOptions {
  env?: Environment;
  /** Addresses of the functions that it calls, by name. */
  callees?: Readonly<Record<string, string>>;
  limits?: Partial<ConnectionLimits>;
}

/** How long a connection may outlive its client: dispose of clients before their callees. */
const leakMs = 2_000;

/**
 * Disposal waits until no connection is left and closes the host. It rejects when a connection
 * is left, or when a call is and has to be cut off.
 */
export async function startTestHost(
  definition: Definition | undefined,
  { env = {}, callees = {}, limits = {} }: TestHostOptions = {},
): Promise<TestHost> {
  const logs: LogLine[] = [];
  const target = definition?.name ?? env.FUNCTION_TARGET ?? "";
  const addresses = Object.entries(callees).map(([name, address]) => [
    addressVariable(name),
    address,
  ]);
  const host = await startHost(definition, {
    env: {
      FUNCTION_TARGET: target,
      HOST: "127.0.0.1",
      PORT: "0",
      DRAIN_TIMEOUT_MS: "3000",
      ...Object.fromEntries(addresses),
      ...env,
    },
    log: createLogger({
      service: target,
      level: "debug",
      destination: { write: (line) => void logs.push(JSON.parse(line)) },
    }),
    limits,
  });
  let closedByTest = false;
  return {
    ...host,
    address: `127.0.0.1:${host.port}`,
    logs,
    close() {
      closedByTest = true;
      return host.close();
    },
    async [Symbol.asyncDispose]() {
      const left = closedByTest ? 0 : await connectionsLeft(host);
      await host.close();
      if (left > 0) throw new Error(`${target}: ${left} connections were left open`);
      const cutOff = logs.some(({ msg }) => msg.includes("cut off"));
      if (cutOff && !closedByTest) throw new Error(`${target}: calls were left in flight`);
    },
  };
}

async function connectionsLeft(host: Host): Promise<number> {
  const end = Date.now() + leakMs;
  while (host.connections() > 0 && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return host.connections();
}
