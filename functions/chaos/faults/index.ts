import type { Fault } from "../fault.ts";
import { clusterFaults } from "./cluster.ts";
import { eventFaults } from "./events.ts";
import { networkFaults } from "./network.ts";
import { startFaults } from "./npm-start.ts";
import { pairFaults, processFaults } from "./processes.ts";
import { resourceFaults } from "./resources.ts";
import { serviceFaults } from "./services.ts";

/** Every fault, in the order in which they take place. */
export const faults: readonly Fault[] = [
  ...processFaults,
  ...serviceFaults,
  ...networkFaults,
  ...eventFaults,
  ...resourceFaults,
  ...pairFaults,
  ...startFaults,
];

/** Those of a cluster, which `--against` names. */
export const faultsOfCluster: readonly Fault[] = clusterFaults;
