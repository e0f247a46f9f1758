import type { RouteAnswer } from "../base/answer.ts";
import type { Resource } from "../base/resource.ts";
import { wakePath } from "../base/wake-config.ts";
import type { Lifecycle } from "./lifecycle.ts";

export interface Health {
  /** Ready: the host takes requests, and every server that it needs can be reached. */
  ready(): boolean;
  /**
   * GET /healthz: 200 while the process works at all. GET /readyz: 200 or 503, and why:
   * `{"status":"ready","checks":{"MongoDB":"ok"}}`. GET /readyz/self: the same of the host alone, whatever the
   * servers do: Kubernetes probes this, since a function without its broker still answers, and says what is
   * wrong, while one that is not ready is asked nothing. GET /wake: 204, since what it was sent for has happened once
   * a function is there to answer it. Undefined for other paths.
   */
  answer(url: string): RouteAnswer | undefined;
}

/** `onWake` is called with each GET /wake. */
export function createHealth(
  lifecycle: Lifecycle,
  resources: readonly Resource[],
  onWake?: () => void,
): Health {
  const problems = () => resources.map((resource) => [resource.name, resource.problem()] as const);
  const ready = () => lifecycle.phase === "ready" && problems().every(([, problem]) => !problem);
  return {
    ready,
    answer(url) {
      const path = url.split("?", 1)[0];
      if (path === wakePath) {
        onWake?.();
        return { status: 204 };
      }
      if (path === "/healthz") return { status: 200, body: { status: "ok" } };
      if (path === "/readyz/self") {
        const { phase } = lifecycle;
        return { status: phase === "ready" ? 200 : 503, body: { status: phase } };
      }
      if (path !== "/readyz") return undefined;
      const status = lifecycle.phase === "ready" && !ready() ? "not ready" : lifecycle.phase;
      const checks = Object.fromEntries(problems().map(([name, why]) => [name, why ?? "ok"]));
      return { status: ready() ? 200 : 503, body: { status, checks } };
    },
  };
}
