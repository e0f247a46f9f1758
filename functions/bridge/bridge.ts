/**
 * Hands the messages of queues to their subscribers as CloudEvents over HTTP, as Knative's RabbitmqSource does
 * in a cluster. One bridge serves every queue.
 *
 * B1 A message is acknowledged only after the subscriber's 2xx, or after the dead-letter exchange
 *    has confirmed it; until then the broker keeps it, and gives it out again when we are gone.
 * B2 What can succeed later is tried again with growing waits; what never can goes to the
 *    dead-letter queue at once. Each such message says why, in a header.
 * B3 Draining takes no more messages, ends the deliveries under way, and gives back those that wait.
 */
import { http } from "#host/call/callee";
import { define } from "#host/kinds/define";
import type { Definition } from "#host/kinds/definition";
import type { Source } from "./delivery.ts";

export interface BridgeOptions {
  name: string;
  /** Each consumed queue and its subscriber, from the declarations (`from`). */
  sources: readonly Source[];
}

export function bridge({ name, sources }: BridgeOptions): Definition {
  return define({
    kind: "bridge",
    name,
    calls: [...new Set(sources.map(({ to }) => to))].map((to) => http(to)),
    async open(runtime) {
      if (sources.length === 0) return { routes: [], resources: [] };
      // Loaded here, since every function imports this file by way of index.ts.
      const { openBroker } = await import("#host/events/amqp");
      const { startDelivery } = await import("./delivery.ts");
      const broker = await openBroker(runtime);
      const stops: (() => Promise<void>)[] = [];
      for (const source of sources) stops.push(await startDelivery(source, broker, runtime));
      return {
        routes: [],
        resources: [broker],
        drain: async () => void (await Promise.all(stops.map((stop) => stop()))),
      };
    },
  });
}
