import type { Server } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";

/** grpc.health.v1 for the whole server ("") and each of the services. Returns what sets their status. */
export function addHealth(
  server: Server,
  services: readonly string[],
): (isServing: boolean) => void {
  const health = new HealthImplementation();
  health.addToServer(server);
  return (isServing) => {
    for (const name of ["", ...services]) {
      health.setStatus(name, isServing ? "SERVING" : "NOT_SERVING");
    }
  };
}
