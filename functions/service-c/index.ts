import { greeter, saveTo } from "#host";

/** A leaf of the tree: calls no function, and saves every greeting that it gives. */
export default greeter({
  name: "service-c",
  greeting: "Konnichiwa, from Service-C!",
  effects: [saveTo("service-c.greetings")],
});
