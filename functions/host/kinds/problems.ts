/** What is wrong with one declaration as it stands, before anything is known of the others. */
import { wakePath } from "../base/wake-config.ts";
import type { Callee } from "../call/callee.ts";
import type { HttpMethod } from "../call/runtime.ts";
import { namePattern } from "./define.ts";
import type { Destination, RouteDeclaration } from "./definition.ts";

interface ReadRoute extends RouteDeclaration {
  handle(context: object): Promise<undefined>;
}

const routePattern = /^(GET|POST|PUT|PATCH|DELETE) (\/\S*)$/;
const segmentPattern = /^([^{}]*|\{[A-Za-z_]\w*\})$/;
const reserved = ["/healthz", "/readyz", "/readyz/self", "/metrics", wakePath];

/** Routes by the keys that they are declared with; those that cannot be read are left out, and are problems. */
export function readRoutes(routes: Readonly<Record<string, unknown>>): ReadRoute[] {
  return Object.entries(routes).flatMap(([key, options]) => {
    const [, method, path] = routePattern.exec(key) ?? [];
    if (!method || !path) return [];
    return [{ ...(options as ReadRoute), method: method as HttpMethod, path }];
  });
}

export function problemsOf({
  options,
  routes,
  takesEvents,
}: {
  options: {
    readonly kind: string;
    readonly name: string;
    readonly calls?: readonly Callee[];
    readonly routes?: Readonly<Record<string, unknown>>;
    readonly effects?: Readonly<Record<string, Destination>>;
    readonly from?: string;
    readonly deploy?: { readonly scale?: { readonly min?: number; readonly max?: number } };
  };
  routes: readonly RouteDeclaration[];
  takesEvents: boolean;
}): string[] {
  const { name, calls = [], effects = {}, from, deploy } = options;
  const problems: string[] = [];
  const check = (holds: boolean, problem: string) => void (holds || problems.push(problem));

  check(
    namePattern.test(name),
    `name "${name}": lower-case letters, digits and dashes are expected, with a letter first, 63 at most`,
  );
  for (const callee of calls) check(callee.name !== name, `calls "${callee.name}": that is itself`);
  // A handler's code has its callees by name; a greeter may ask the same one over both protocols.
  const edges = calls.map(({ name, protocol }) =>
    options.kind === "handler" ? name : `${protocol}:${name}`,
  );
  for (const edge of duplicates(edges)) problems.push(`calls "${edge}" twice`);
  for (const { system, destination } of Object.values(effects)) {
    if (system === "rabbitmq") {
      check(queuePattern.test(destination), `publishTo("${destination}"): ${queueRule}`);
    } else {
      const problem = `saveTo("${destination}"): database.collection is expected`;
      check(/^[^\s./\\"$]+\.[^\s$]+$/.test(destination), problem);
    }
  }
  const destinations = Object.values(effects).map((one) => `${one.system} "${one.destination}"`);
  for (const one of duplicates(destinations)) problems.push(`${one} is an effect twice`);
  if (from !== undefined) {
    check(queuePattern.test(from), `from "${from}": ${queueRule}`);
    check(takesEvents, `from "${from}": there is no \`on\` that would take its events`);
  }
  for (const key of Object.keys(options.routes ?? {})) {
    const path = routePattern.exec(key)?.[2];
    if (!path) {
      problems.push(`routes "${key}": a method and a path are expected, as in "POST /api/orders"`);
      continue;
    }
    const wrong = path.split("/").find((segment) => !segmentPattern.test(segment));
    if (wrong) problems.push(`routes "${key}": the segment "${wrong}" is neither text nor {name}`);
    check(!reserved.includes(path), `routes "${key}": ${path} is the host's own`);
  }
  for (const route of duplicates(routes.map(({ method, path }) => `${method} ${shapeOf(path)}`))) {
    problems.push(`routes "${route}": there are two`);
  }
  const { min = 0, max = Number.POSITIVE_INFINITY } = deploy?.scale ?? {};
  check(min <= max, `deploy.scale: min ${min} is above max ${max}`);
  return problems;
}

/** A queue's name is also part of the names and labels of Kubernetes objects: "QUEUE-source". */
const queuePattern = /^[a-z]([a-z\d.-]{0,54}[a-z\d])?$/;
const queueRule = "lower-case letters, digits, dots and dashes are expected, 56 at most";

/** Routes that differ only in the names of their parameters take the same requests. */
function shapeOf(path: string): string {
  return path.replace(/\{\w+\}/g, "{}");
}

function duplicates(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((text, i) => texts.indexOf(text) !== i))];
}
