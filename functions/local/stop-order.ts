import { graphOf } from "./declared-graph.ts";
import type { Deployable } from "./discover.ts";

/**
 * The order to stop functions in: callers before their callees, so that a request in flight still
 * finds everything below it, and publishers before the consumer of their queue, so that little is
 * left in it. Those within one step do not need each other.
 */
export function stopOrder(functions: readonly Deployable[]): string[][] {
  const names = functions.map(({ name }) => name);
  const { nodes, edges } = graphOf(functions.flatMap(({ definition }) => definition ?? []));
  let left = [...new Set([...names, ...nodes.map(({ name }) => name)])];
  const steps: string[][] = [];
  while (left.length > 0) {
    const needed = new Set(edges.filter(({ from }) => left.includes(from)).map(({ to }) => to));
    const free = left.filter((name) => !needed.has(name));
    // Functions that call each other in a circle have no order: they go together.
    const step = free.length > 0 ? free : left;
    steps.push(step.filter((name) => names.includes(name)));
    left = left.filter((name) => !step.includes(name));
  }
  return steps.filter((step) => step.length > 0);
}
