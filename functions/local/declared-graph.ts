import { type Graph, graphOf } from "#host/kinds/graph";
import type { Deployable } from "./discover.ts";

/** The graph of these functions. Those without a declaration are in it too, without edges. */
export function declaredGraph(functions: readonly Deployable[]): Graph {
  const plain = functions.filter(({ definition }) => !definition);
  return graphOf(
    functions.flatMap(({ definition }) => definition ?? []),
    plain.map(({ name }) => name),
  );
}
