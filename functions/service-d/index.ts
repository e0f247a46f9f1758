import { greeter, publishTo } from "#host";

/** A leaf that tells the queue of every greeting it gives; the way from there leads to service-f. */
export default greeter({
  name: "service-d",
  greeting: "Shalom, from Service-D!",
  effects: [publishTo("service-d")],
});
