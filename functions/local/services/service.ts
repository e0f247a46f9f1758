import { createHash } from "node:crypto";

export type ServiceName = "RabbitMQ" | "MongoDB";

export interface ServiceOptions {
  /** Absolute path of a hidden folder for data, logs and the record of what was started (e.g. <clone>/.local). */
  dataDir: string;
  /** Where downloads are kept; several data folders may share one. Default: dataDir/cache. */
  cacheDir?: string;
  env: NodeJS.ProcessEnv;
  /**
   * Preferred port for a server of our own. 0 or absent: the one used before on this dataDir,
   * else the protocol's default, else any; whichever is free first.
   */
  port?: number;
  /**
   * Do not look for a server already listening, and do not take the protocol's default port,
   * where others would find it. A URL in the environment still wins.
   */
  private?: boolean;
  /** One progress line for a person: what is being tried, installed or started, and why. */
  report(line: string): void;
  /** Stops whatever was begun, and leaves no process. */
  signal?: AbortSignal;
}

export interface RunningService {
  name: ServiceName;
  /** May hold a password: show it through withoutPassword. */
  url: string;
  /** How it was got, for a person, as in "rabbitmq-server 3.10.8" or "RABBITMQ_URL". */
  origin: string;
  /** False when it was there before us: stop() then does nothing. */
  owned: boolean;
  pid?: number;
  /** Ends it in good order; calling it again waits for the same end. */
  stop(): Promise<void>;
  /** Ends it as a power cut would, for fault tests. Only on a service that is owned. */
  kill?(): Promise<void>;
}

/** Nothing could be had: the message says what was tried and what to type. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code = "ERR_SERVICE";
}

/** A short name for a data folder, so that two clones never share a node or a container. */
export function tagOf(dataDir: string): string {
  return createHash("sha256").update(dataDir).digest("hex").slice(0, 8);
}

/** An environment variable; an empty one counts as not set. */
export function variable(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}

/** A service that is not ours, so that stopping it does nothing. */
export function foreign(name: ServiceName, url: string, origin: string): RunningService {
  return { name, url, origin, owned: false, stop: async () => {} };
}
