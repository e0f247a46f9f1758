import { byRoute, createRoad, type Road } from "../http/road.ts";
import type { Definition } from "./definition.ts";
import { openFunction } from "./open.ts";

/**
 * The function's road under functions-framework's own command line, which listens, reads bodies and ends the
 * process by itself: over HTTP only, without the host's gRPC, health, metrics and draining.
 */
export async function openStandalone(definition: Definition): Promise<Road> {
  const { runtime, serving, open } = await openFunction(definition, {});
  return createRoad({
    serving,
    bodyLimitBytes: runtime.config.bodyLimitBytes,
    answer: byRoute(open.routes),
  });
}
