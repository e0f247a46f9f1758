import { greeter, grpc, http } from "#host";

/** Calls both of its callees over different protocols at the same time. */
export default greeter({
  name: "service-b",
  greeting: "Namaste, from Service-B!",
  calls: [http("service-d"), grpc("service-e")],
  deploy: { scale: { target: 20 } },
});
