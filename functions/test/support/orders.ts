import { type Deploy, grpc, handler, publishTo, saveTo } from "#host";
import type { Graph } from "#host/kinds/graph";
import { declaredGraph } from "../../local/declared-graph.ts";
import { type Deployable, loadFunctions } from "../../local/discover.ts";

/** A clone may have more functions, which tests of certain names and lists leave out. */
export function isPlatform(name: string): boolean {
  return /^(bridge|gateway|ui|service-[a-h])$/.test(name);
}

export async function platformFunctions(): Promise<Deployable[]> {
  return (await loadFunctions()).filter(({ name }) => isPlatform(name));
}

export async function platformGraph(): Promise<Graph> {
  return declaredGraph(await platformFunctions());
}

/** Two functions with a queue between them, such as `npm run new` writes; in a graph they make its second queue. */
export const ordersAndInvoices: readonly Deployable[] = [
  handler({
    name: "orders",
    calls: [grpc("service-g")],
    effects: { saved: saveTo("orders.orders"), published: publishTo("orders") },
    routes: { "POST /api/orders": { handle: async () => undefined } },
  }),
  handler({
    name: "invoices",
    from: "orders",
    effects: { saved: saveTo("invoices.invoices") },
    on: { "*": async () => undefined },
  }),
].map((definition) => ({ name: definition.name, definition }));

/** As `loadFunctions` orders them. */
export function inOrder(functions: readonly Deployable[]): Deployable[] {
  return [...functions].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A handler with what a test is about, and nothing else. */
export function deployable(
  name: string,
  options: Partial<Parameters<typeof handler>[0]>,
): Deployable {
  return { name, definition: handler({ name, ...options } as { name: string }) };
}

export const withDeploy = (name: string, deploy: Deploy) => deployable(name, { deploy });
