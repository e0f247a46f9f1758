/** The broker and the database go away, and come back with their data. */
import { setTimeout as wait } from "node:timers/promises";
import { untilReady } from "../../local/graph.ts";
import { sendSignal } from "../../local/services/process-table.ts";
import { on } from "../fault.ts";
import type { Backing, Lab } from "../lab.ts";

const awayMs = 10_000;

async function killed(...services: Backing[]): Promise<void> {
  await Promise.all(services.map((service) => service.kill()));
  await wait(awayMs);
  await Promise.all(services.map((service) => service.start()));
}

/** All processes are there again. Whether they work is what is measured. */
async function everything({ graph, broker, database }: Lab): Promise<void> {
  const functions = graph.functions.filter(({ name }) => name !== "ui");
  for (const { name } of functions) {
    const { pid } = graph.function(name);
    if (pid) sendSignal(pid, "SIGKILL");
  }
  await Promise.all([broker.kill(), database.kill()]);
  await Promise.all([broker.start(), database.start()]);
  for (const { name } of functions) await graph.function(name).start();
  await Promise.all(functions.map(({ name }) => untilReady(graph.function(name))));
}

export const serviceFaults = on("graph", [
  { name: "SIGKILL broker (back after 10 s)", run: ({ broker }) => killed(broker) },
  { name: "SIGKILL database (back after 10 s)", run: ({ database }) => killed(database) },
  {
    name: "SIGKILL broker and database",
    run: ({ broker, database }) => killed(broker, database),
  },
  { name: "restart of everything", cutsClients: true, run: everything },
]);
