/** Functions that end: by a signal each, all at once, one after the other. */
import { setTimeout as wait } from "node:timers/promises";
import { functionNames } from "../../local/discover.ts";
import { untilReady } from "../../local/graph.ts";
import { sendSignal } from "../../local/services/process-table.ts";
import { type FaultOf, on } from "../fault.ts";
import type { Lab } from "../lab.ts";

type GraphFault = Omit<FaultOf<"graph">, "on">;
type PairFault = Omit<FaultOf<"pair">, "on">;

/** No request goes through the page. */
const names = functionNames().filter((name) => name !== "ui");

/** The local run starts again what ends by itself, as a cluster does. */
function ends(name: string, signal: "SIGKILL" | "SIGTERM"): GraphFault {
  return {
    name: `${signal} ${name}`,
    cutsClients: name === "gateway",
    async run(lab) {
      sendSignal(pidOf(lab, name), signal);
    },
  };
}

function pidOf(lab: Lab, name: string): number {
  const { pid } = lab.graph.function(name);
  if (pid === undefined) throw new Error(`${name} does not run`);
  return pid;
}

const restartOfFunctions: GraphFault = {
  name: "all functions end at once",
  cutsClients: true,
  async run(lab) {
    for (const name of names) sendSignal(pidOf(lab, name), "SIGKILL");
  },
};

/** F is away while the bridge holds messages for it, and then the bridge dies with them. */
const bridgeWithFullHands: GraphFault = {
  name: "SIGKILL bridge while F is away",
  async run(lab) {
    await lab.graph.function("service-f").stop();
    await wait(2_000);
    sendSignal(pidOf(lab, "bridge"), "SIGKILL");
    await lab.graph.function("service-f").start();
    await lab.graph.function("bridge").start();
  },
};

/** One process at a time, each after the one before it is ready again. */
const rollingRestart: PairFault = {
  name: "rolling restart of two of each",
  strict: true,
  async run(lab) {
    for (const name of names) {
      for (const process of lab.processesOf(name)) {
        await process.stop();
        await process.start();
        await untilReady(process);
      }
    }
  },
};

/**
 * A caller whose callee is killed at work asks the other one, and cannot know what the first has done: only by the
 * request's key are its effects there once.
 */
const killInPair: PairFault = {
  name: "SIGKILL one of two of each",
  cutsClients: true,
  async run(lab) {
    for (const name of names) {
      const [process] = lab.processesOf(name);
      await process?.kill();
      await process?.start();
      if (process) await untilReady(process);
    }
  },
};

export const processFaults = on("graph", [
  ...names.map((name) => ends(name, "SIGKILL")),
  bridgeWithFullHands,
  ...names.map((name) => ends(name, "SIGTERM")),
  restartOfFunctions,
]);
export const pairFaults = on("pair", [rollingRestart, killInPair]);
