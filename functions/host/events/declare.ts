/** Declares a function's queues and ends: what a Job runs before Knative's source starts to consume. */

import { type Environment, loadConfig } from "../base/config.ts";
import { HostError } from "../base/errors.ts";
import { createLogger } from "../telemetry/logger.ts";
import { openBroker } from "./amqp.ts";

/** Of a definition. */
interface Declaring {
  readonly name: string;
  readonly effects: readonly { readonly system: string; readonly destination: string }[];
}

export interface DeclareOptions {
  env?: Environment;
  /** Queues of other functions that are declared with them. */
  others?: readonly string[];
  /** How long to wait for a broker that is not there yet. */
  limitMs?: number;
}

/**
 * Declares every queue that the function publishes to, and `others`, each with its dead-letter exchange
 * and queue, on the broker that RABBITMQ_URL names. Idempotent. Throws ERR_CONFIG for a function
 * without queues, and ERR_PUBLISH when the broker cannot be reached within the limit.
 */
export async function declareQueues(
  { name, effects }: Declaring,
  { env, others = [], limitMs = 60_000 }: DeclareOptions = {},
): Promise<void> {
  const config = loadConfig(env, { name, calls: [], mongodb: false, rabbitmq: true });
  const log = createLogger({ service: name, level: config.logLevel });
  const published = effects.filter(({ system }) => system === "rabbitmq");
  const queues = [...published.map(({ destination }) => destination), ...others];
  if (queues.length === 0) throw new HostError("ERR_CONFIG", `${name} has no queue to declare`);
  const broker = await openBroker({ name, config, log });
  try {
    for (const queue of queues) await broker.use({ queue });
    await channelBefore(Date.now() + limitMs, broker.channel);
  } finally {
    await broker.close();
  }
}

/** Each try waits for a while by itself. */
async function channelBefore(deadline: number, open: () => Promise<unknown>): Promise<void> {
  try {
    await open();
  } catch (thrown) {
    if (Date.now() >= deadline) throw thrown;
    await channelBefore(deadline, open);
  }
}
