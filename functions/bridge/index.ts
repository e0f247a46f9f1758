import { bridge, http } from "#host";

/** Brings the queue's messages to service-f where no Knative RabbitmqSource does it (the local run). */
export default bridge({
  name: "bridge",
  queue: "service-d",
  to: http("service-f"),
});
