import { greeter, grpc, http } from "#host";

/** The middle of the tree's deepest branch. */
export default greeter({
  name: "service-e",
  greeting: "Bonjour, de Service-E!",
  calls: [grpc("service-g"), http("service-h")],
});
