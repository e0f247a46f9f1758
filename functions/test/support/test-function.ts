import { registerFunction } from "#host/http/exchange";
import type { Callee, Definition, OpenFunction, Runtime } from "#host/kinds/definition";
import { greetingRoutes } from "#host/kinds/greeter";

/** A function of nothing but the parts that a test gives it; its greetings are asked for as usual. */
export function testFunction(
  parts: Partial<OpenFunction> | ((runtime: Runtime) => Promise<Partial<OpenFunction>>),
  { name = "tested", calls = [] }: { name?: string; calls?: Callee[] } = {},
): Definition {
  registerFunction(name);
  return {
    kind: "greeter",
    name,
    calls,
    effects: [],
    async open(runtime) {
      const open = typeof parts === "function" ? await parts(runtime) : parts;
      const routes = open.greetings ? greetingRoutes(open.greetings) : [];
      return { routes, resources: [], ...open };
    },
  };
}
