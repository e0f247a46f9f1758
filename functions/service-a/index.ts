import { greeter, grpc, http } from "#host";

/** The root of the tree. */
export default greeter({
  name: "service-a",
  greeting: "Hello, from Service-A!",
  calls: [grpc("service-b"), http("service-c")],
  // Every request of the graph comes through here.
  deploy: { scale: { target: 20 } },
});
