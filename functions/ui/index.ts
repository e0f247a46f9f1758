import { frontEnd } from "./front-end.ts";
import graph from "./graph.json" with { type: "json" };

/**
 * The page on which the graph is seen at work: it draws the figures, sends requests to the gateway from
 * the browser, and on one machine stops and starts functions.
 */
export default frontEnd({
  name: "ui",
  graph,
});
