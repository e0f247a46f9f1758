import { bridge } from "./bridge.ts";
import sources from "./sources.json" with { type: "json" };

/** Brings the messages of queues to their subscribers where no Knative RabbitmqSource does it (the local run). */
export default bridge({
  name: "bridge",
  sources,
});
