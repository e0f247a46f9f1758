import { greeter, publishTo } from "#host";

/** A leaf that publishes every greeting that it gives; from the queue it goes to service-f. */
export default greeter({
  name: "service-d",
  greeting: "Shalom, from Service-D!",
  effects: [publishTo("service-d")],
});
