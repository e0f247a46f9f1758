import { grpc } from "#host";
import { gateway } from "./gateway.ts";
import graph from "./graph.json" with { type: "json" };

/** The way in: HTTP triggers for every function, and the whole graph by gRPC to service-a. */
export default gateway({
  name: "gateway",
  to: grpc("service-a"),
  graph,
});
