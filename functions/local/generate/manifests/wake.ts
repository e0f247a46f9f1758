/** What a function's first request wakes: functions that may be at zero, below it by calls and by queues. */
import type { Deployable } from "../../discover.ts";

/**
 * For the variable WAKE: each callee and queue of the function, and what each of these leads to. One that always has an
 * instance needs no wake: those below stand in its place.
 */
export function wakeGraphOf(
  { name, definition }: Deployable,
  functions: readonly Deployable[],
): Record<string, string[]> {
  // The bridge's messages were published, and their publisher has woken.
  if (!definition || definition.kind === "bridge") return {};
  const graph: Record<string, string[]> = {};
  const queues = queuesOf(definition);
  for (const queue of queues) add(`rabbitmq:${queue}`, consumersOf(queue, functions));
  // A gateway triggers any function.
  const triggered = functions.filter((one) => one.definition?.kind !== "bridge");
  const called = definition.kind === "gateway" ? triggered : definition.calls;
  for (const callee of called) follow(callee.name);
  return graph;

  function follow(from: string) {
    if (from !== name && !Object.hasOwn(graph, from)) add(from, nextOf(from, functions));
  }
  function add(key: string, next: readonly string[]) {
    const asleep = asleepOf(next, functions).filter((one) => one !== name);
    if (asleep.length === 0) return;
    graph[key] = asleep;
    for (const one of asleep) follow(one);
  }
}

/** Those whose first request wakes the function, its callers among them. */
export function wakersOf({ name }: Deployable, functions: readonly Deployable[]): string[] {
  return functions
    .filter((one) => Object.values(wakeGraphOf(one, functions)).some((next) => next.includes(name)))
    .map((one) => one.name);
}

/** The functions that it calls, and those that consume what it publishes. */
function nextOf(name: string, functions: readonly Deployable[]): string[] {
  const { definition } = functions.find((one) => one.name === name) ?? {};
  if (!definition) return [];
  const consumers = queuesOf(definition).flatMap((queue) => consumersOf(queue, functions));
  return [...namesOf(definition.calls), ...consumers];
}

function asleepOf(names: readonly string[], functions: readonly Deployable[]): string[] {
  const found = new Set(names);
  for (const name of found) {
    if (!stands(name, functions)) continue;
    for (const next of nextOf(name, functions)) found.add(next);
  }
  return [...found].filter((name) => !stands(name, functions));
}

function stands(wanted: string, functions: readonly Deployable[]): boolean {
  const { definition } = functions.find(({ name }) => name === wanted) ?? {};
  return (definition?.deploy.scale?.min ?? 0) > 0;
}

function consumersOf(queue: string, functions: readonly Deployable[]): string[] {
  return functions.filter(({ definition }) => definition?.from === queue).map(({ name }) => name);
}

function queuesOf({ effects }: NonNullable<Deployable["definition"]>): string[] {
  return effects.flatMap(({ system, destination }) => (system === "rabbitmq" ? [destination] : []));
}

function namesOf(list: readonly { readonly name: string }[]): string[] {
  return list.map(({ name }) => name);
}
