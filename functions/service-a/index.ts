import { greeter, grpc, http } from "#host";

/** The root of the tree. */
export default greeter({
  name: "service-a",
  greeting: "Hello, from Service-A!",
  calls: [grpc("service-b"), http("service-c")],
  // It waits for the whole tree: knative/SIZING.md computes how many requests a pod has meanwhile.
  deploy: { scale: { target: 25 } },
});
