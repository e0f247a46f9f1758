import { type Definition, handler } from "#host";
import { liveRoutes, openFrontEnd } from "./front-end.ts";
import graph from "./graph.json" with { type: "json" };

/**
 * The page on which the graph is seen at work: it draws the figures, sends requests to the gateway from
 * the browser, and on one machine stops and starts functions.
 */
const ui = handler({
  name: "ui",
  setup: (runtime) => openFrontEnd(runtime, graph),
  routes: {
    "GET /": { handle: async ({ state, headers }) => state.file("index.html", headers) },
    "GET /{file}": {
      handle: async ({ state, headers, parameters }) => state.file(parameters.file, headers),
    },
    "GET /api/page": { handle: async ({ state, headers }) => ({ body: state.settings(headers) }) },
    ...liveRoutes(),
  },
  deploy: { public: true, scale: { min: 1, max: 2 }, timeoutSeconds: 300 },
});

export default { ...ui, kind: "ui" } satisfies Definition;
