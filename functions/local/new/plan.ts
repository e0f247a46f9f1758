import { existsSync } from "node:fs";
import { join } from "node:path";
import { grpc, handler, http, publishTo, saveTo } from "#host";
import type { Callee } from "#host/call/callee";
import type { HttpMethod } from "#host/call/runtime";
import { problemsIn } from "../declarations/rules.ts";
import { type Deployable, functionsDir, houseFolders } from "../discover.ts";
import { UsageError } from "../options.ts";
import type { NewOptions } from "./options.ts";
import { type PlannedCall, planCall } from "./planned-call.ts";

/** A new function, ready to be written. */
export interface Plan {
  readonly name: string;
  readonly routes: readonly PlannedRoute[];
  readonly calls: readonly PlannedCall[];
  readonly saves: readonly string[];
  readonly publishes: readonly string[];
  readonly from: string | undefined;
  readonly public: boolean;
}

export interface PlannedRoute {
  readonly key: string;
  readonly method: HttpMethod;
  readonly path: string;
  readonly parameters: readonly string[];
}

/** Throws one UsageError that lists everything that is wrong, by the rules of all declarations. */
export async function planFunction(
  options: NewOptions,
  functions: readonly Deployable[],
): Promise<Plan> {
  const { name = "", saves, publishes, from } = options;
  const problems: string[] = [];
  const folder = join(functionsDir, name);
  if (name === "") problems.push("a name is missing: npm run new -- NAME");
  else if (!houseFolders.includes(name) && /^[\w-]+$/.test(name) && existsSync(folder)) {
    problems.push(`name "${name}": functions/${name} is there already; choose another`);
  }
  const routes = options.routes.length > 0 ? options.routes : defaultRoutes(name, options);
  for (const [option, list] of Object.entries({ route: routes, saves, publishes })) {
    const twice = list.find((one, i) => list.indexOf(one) !== i);
    if (twice) problems.push(`--${option} "${twice}" is given twice`);
  }
  const calls = options.calls.flatMap((text): Callee[] => {
    const [, protocol, callee] = /^(grpc|http):(.+)$/.exec(text) ?? [];
    if (callee) return [protocol === "grpc" ? grpc(callee) : http(callee)];
    problems.push(`--calls "${text}": http:NAME or grpc:NAME is expected`);
    return [];
  });

  const planned = await Promise.all(calls.map((call) => planCall(call, functions)));
  const handle = async () => undefined;
  const definition = handler({
    name,
    calls: planned.map(({ callee }) => callee),
    effects: Object.fromEntries([
      ...[...new Set(saves)].map((destination) => [`saves ${destination}`, saveTo(destination)]),
      ...[...new Set(publishes)].map((queue) => [`publishes ${queue}`, publishTo(queue)]),
    ]),
    ...(from !== undefined && { from, on: { "*": handle } }),
    routes: Object.fromEntries(routes.map((route) => [route, { handle }])),
  });
  if (name !== "") {
    const others = functions.filter((one) => one.name !== name);
    const declared = others.map(({ name, ...rest }) => ({ folder: name, ...rest }));
    const found = problemsIn([...declared, { folder: name, definition }], houseFolders);
    problems.push(...found.filter((one) => one.folder === name).map(({ text }) => text));
  }
  if (problems.length > 0) {
    const list = problems.map((problem) => `- ${problem}`).join("\n");
    throw new UsageError(`Nothing was written:\n${list}`);
  }
  return {
    name,
    calls: planned,
    saves,
    publishes,
    from,
    public: options.public,
    routes: routes.map((key): PlannedRoute => {
      const [method = "", path = ""] = key.split(" ");
      const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, one = ""]) => one);
      return { key, method: method as HttpMethod, path, parameters };
    }),
  };
}

/** What only consumes needs no route, unless it publishes to the queue that it consumes. */
function defaultRoutes(name: string, { from, saves, publishes }: NewOptions): string[] {
  if (from !== undefined && !publishes.includes(from)) return [];
  const takesData = saves.length + publishes.length > 0;
  return [`${takesData ? "POST" : "GET"} /api/${name}`];
}
