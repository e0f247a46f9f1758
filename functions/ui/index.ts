import graph from "../gateway/graph.json" with { type: "json" };
import { frontEnd } from "./front-end.ts";

/**
 * The page on which the graph is seen at work: it draws the figures, sends requests to the gateway from
 * the browser, and on one machine stops and starts functions.
 */
export default frontEnd({
  name: "ui",
  graph,
});
