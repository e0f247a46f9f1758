import type { NodeState } from "../../ui/live.ts";
import type { FunctionProcess } from "../function-process.ts";
import { whyNotReady } from "../probe.ts";

/** How functions are, without asking them: from their processes, and from what /readyz said last. */
export class FunctionStates {
  readonly #ready = new Map<string, boolean>();

  /** Asks every function that runs. */
  async look(functions: Iterable<readonly [name: string, process: FunctionProcess, port: number]>) {
    const asked = [...functions].filter(([, { phase }]) => phase === "running");
    await Promise.all(
      asked.map(async ([name, , port]) => {
        this.#ready.set(name, (await whyNotReady(port)) === undefined);
      }),
    );
  }

  of(name: string, process: FunctionProcess): NodeState {
    const { phase } = process;
    if (phase !== "running") {
      this.#ready.delete(name);
      return phase;
    }
    const ready = this.#ready.get(name);
    if (ready === undefined) return "starting";
    return ready ? "ready" : "not ready";
  }
}
