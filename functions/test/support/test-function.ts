import type { Callee } from "#host";
import type { Runtime } from "#host/call/runtime";
import { define } from "#host/kinds/define";
import type { Definition, OpenFunction } from "#host/kinds/definition";
import { greetingRoutes } from "#host/kinds/greetings";

/** A function of nothing but the parts that a test gives it; its greetings are asked for as usual. */
export function testFunction(
  parts: Partial<OpenFunction> | ((runtime: Runtime) => Promise<Partial<OpenFunction>>),
  { name = "tested", calls = [] }: { name?: string; calls?: Callee[] } = {},
): Definition {
  return define({
    kind: "greeter",
    name,
    calls,
    async open(runtime) {
      const open = typeof parts === "function" ? await parts(runtime) : parts;
      const routes = open.greetings ? greetingRoutes(open.greetings) : [];
      return { routes, resources: [], ...open };
    },
  });
}
