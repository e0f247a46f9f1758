import { withoutPassword } from "#host/telemetry/logger";
import type { Graph } from "./graph.ts";

/** What a person wants to know when the graph is there: where it is, and what to try. */
export function welcome(graph: Graph, seconds: number): string {
  const { rabbit, mongo, canary } = graph;
  const gateway = `http://localhost:${graph.addresses.get("gateway")}`;
  const page = `http://localhost:${graph.addresses.get("ui")}`;
  const byPort = [...graph.addresses].sort(([, a], [, b]) => a - b);
  const rows = [
    ...byPort.map(([name, port]) => {
      const share = `  (${canary?.percent} % of the calls to ${canary?.of}, from ${canary?.folder})`;
      return [name, `http://localhost:${port}${name === canary?.name ? share : ""}`];
    }),
    ...[rabbit, mongo].map(({ name, url, origin }) => [
      name,
      `${withoutPassword(url)}  (${origin})`,
    ]),
  ];
  const width = Math.max(...rows.map(([name = ""]) => name.length));
  const processes = new Set([...graph.addresses.keys()].map((name) => graph.function(name)));
  const inspected = [...processes].filter(({ inspectPort }) => inspectPort);
  const debug = inspected.map(
    (one) => `  ${one.name.padEnd(width)} 127.0.0.1:${one.inspectPort}\n`,
  );
  return `
The graph is ready after ${seconds.toFixed(1)} s. Every function answers HTTP and gRPC on its port:

${rows.map(([name = "", address]) => `  ${name.padEnd(width)} ${address}`).join("\n")}

See it at work
  ${page}
${debug.length > 0 ? `\nDebug, by chrome://inspect or .vscode/launch.json\n${debug.join("")}` : ""}
Try
  curl ${gateway}/api/greeting
  curl '${gateway}/api/services/service-f/messages?limit=1'
  npm run invoke -- service-c --times 10

Ctrl-C stops everything.
`;
}
