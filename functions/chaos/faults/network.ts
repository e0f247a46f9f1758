/** What a network does to the connections of an edge. */
import { setTimeout as wait } from "node:timers/promises";
import { on } from "../fault.ts";
import type { Lab } from "../lab.ts";
import type { TcpProxy } from "../proxy.ts";

const edges = {
  "D to broker": "service-d>rabbitmq",
  "bridge to broker": "bridge>rabbitmq",
  "C to database": "service-c>mongodb",
  "F to database": "service-f>mongodb",
  "B to D (HTTP)": "service-b>service-d",
  "B to E (gRPC)": "service-b>service-e",
  "bridge to F": "bridge>service-f",
} as const;

interface Weather {
  name: string;
  lastsMs: number;
  begin(proxy: TcpProxy): void | Promise<void>;
}

const weathers: readonly Weather[] = [
  { name: "latency 300 ms", lastsMs: 3_000, begin: (proxy) => proxy.slow(300) },
  { name: "resets", lastsMs: 2_000, begin: (proxy) => proxy.reset() },
  { name: "cut", lastsMs: 2_000, begin: (proxy) => proxy.cut() },
  { name: "black hole", lastsMs: 6_000, begin: (proxy) => proxy.freeze() },
  { name: "half-open", lastsMs: 8_000, begin: (proxy) => proxy.halfOpen() },
];

export const networkFaults = on(
  "graph",
  weathers.flatMap(({ name, lastsMs, begin }) =>
    Object.entries(edges).map(([title, edge]) => ({
      name: `${name}: ${title}`,
      async run(lab: Lab) {
        const proxy = lab.proxy(edge);
        await begin(proxy);
        await wait(lastsMs);
        await proxy.clear();
      },
    })),
  ),
);
