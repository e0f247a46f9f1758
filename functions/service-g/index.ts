import { greeter, saveTo } from "#host";

/** A leaf of the tree: calls no function, and saves every greeting that it gives. */
export default greeter({
  name: "service-g",
  greeting: "Ahlan, from Service-G!",
  effects: [saveTo("service-g.greetings")],
});
