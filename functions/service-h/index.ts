import { greeter, saveTo } from "#host";

/** A leaf of the tree: calls no function, and saves every greeting that it gives. */
export default greeter({
  name: "service-h",
  greeting: "Ciao, from Service-H!",
  effects: [saveTo("service-h.greetings")],
});
