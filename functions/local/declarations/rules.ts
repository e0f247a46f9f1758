/** What can be wrong with declarations. Each rule's text begins with the part of the declaration that it is about. */
import { HostError } from "#host/base/errors";
import type { Callee, GrpcCallee, GrpcService } from "#host/call/callee";
import type { Definition } from "#host/kinds/definition";
import { compileSchema } from "#host/kinds/json-schema";
import type { Declared, Problem } from "./declared.ts";
import { suggest } from "./near.ts";

/** Kubernetes Services of the in-cluster broker and database, which a function's would replace. */
const clusterNames = ["rabbitmq", "mongodb"];

export function problemsIn(declared: readonly Declared[], house: readonly string[]): Problem[] {
  const all = declared.flatMap(({ folder, definition }) =>
    definition ? [{ folder, definition }] : [],
  );
  const known: Known = {
    declared,
    definitions: all.map(({ definition }) => definition),
    names: declared.map(({ folder, definition }) => definition?.name ?? folder),
    complete: declared.every(({ failure }) => !failure),
    house,
  };
  return all.flatMap(({ folder, definition }) =>
    [
      ...namesOf(folder, definition, known),
      ...definition.problems,
      ...callsOf(definition, known),
      ...circlesOf(definition, known),
      ...sourceOf(definition, known),
      ...schemasOf(definition),
      ...subdomainOf(definition, known),
    ].map((text) => ({ folder, text })),
  );
}

interface Known {
  readonly declared: readonly Declared[];
  readonly definitions: readonly Definition[];
  /** Of all functions, with and without a definition. */
  readonly names: readonly string[];
  /** Whether every file could be loaded: else one of them may publish to any queue. */
  readonly complete: boolean;
  readonly house: readonly string[];
}

function* namesOf(folder: string, { name }: Definition, { declared, house }: Known) {
  const other = declared.find((one) => one.folder !== folder && one.definition?.name === name);
  if (other) {
    yield name === folder
      ? `name "${name}": functions/${other.folder} has it too; name that after its folder`
      : `name "${name}": functions/${other.folder} has it too; name this "${folder}", after its folder`;
  } else if (name !== folder) {
    yield `name "${name}": the folder is "${folder}"; give both the same name`;
  }
  if (house.includes(name)) {
    yield `name "${name}": functions/${name} is not a function but a folder of the platform; choose another`;
  }
  if (clusterNames.includes(name)) {
    yield `name "${name}": a cluster's own ${name} has it; choose another`;
  }
}

function* callsOf({ name, kind, calls }: Definition, { definitions, names, declared }: Known) {
  // A bridge's follow from what others consume, and are written anew when that changes.
  if (kind === "bridge") return;
  for (const callee of calls) {
    if (callee.name === name) continue; // among the definition's own problems
    const target = definitions.find((one) => one.name === callee.name);
    if (!names.includes(callee.name)) {
      const others = names.filter((one) => one !== name);
      yield `calls "${callee.name}", which is not a function: ${suggest(callee.name, others)}`;
    } else if (target) yield* edgeOf(callee, target);
    else if (callee.protocol === "grpc" && !declared.find(isFailed(callee.name))) {
      yield `calls grpc("${callee.name}"), which serves no gRPC: call it by http("${callee.name}")`;
    }
  }
}

const isFailed =
  (name: string) =>
  ({ folder, failure }: Declared) =>
    folder === name && failure;

function* edgeOf({ name, protocol, ...rest }: Callee, { routes, services, problems }: Definition) {
  // What a broken declaration will answer is not known.
  if (problems.length > 0) return;
  const greets = routes.some(({ path }) => path === "/api/greeting");
  if (protocol === "http") {
    if (routes.length === 0) yield `calls http("${name}"), which answers no request: leave it out`;
    return;
  }
  const served = services.map(nameOfService);
  const { service } = rest as Partial<GrpcCallee>;
  if (service) {
    const wanted = nameOfService(service as GrpcService);
    if (!served.includes(wanted)) {
      yield `calls grpc("${name}") with ${wanted}: ${name} serves ${served.join(", ") || "none"}`;
    }
  } else if (served.length > 0 && !greets) {
    yield `calls grpc("${name}"), which does not greet: name its service too (${served.join(", ")})`;
  } else if (!greets) {
    yield `calls grpc("${name}"), which neither greets nor has a gRPC service: call it by http("${name}")`;
  }
}

/** Its name with the package: greeting.GreetingService. */
function nameOfService(service: GrpcService): string {
  return Object.values(service)[0]?.path.split("/")[1] ?? "a service without methods";
}

/** Each circle once, at the first of its functions. */
function* circlesOf({ name }: Definition, { definitions }: Known): Generator<string> {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  const order = [...byName.keys()];
  const inner = (one: string) => order.indexOf(one) > order.indexOf(name);
  const walk = function* (path: readonly string[]): Generator<readonly string[]> {
    for (const callee of byName.get(path.at(-1) ?? "")?.calls ?? []) {
      if (callee.name === name && path.length > 1) yield [...path, name];
      else if (inner(callee.name) && !path.includes(callee.name)) {
        yield* walk([...path, callee.name]);
      }
    }
  };
  for (const circle of walk([name])) {
    yield `calls "${circle[1]}" in a circle (${circle.join(" > ")}): leave out one of these calls`;
  }
}

function* sourceOf({ name, from }: Definition, { definitions, complete }: Known) {
  if (from === undefined) return;
  const queues = queuesOf(definitions);
  if (complete && !queues.includes(from)) {
    yield `from "${from}": no function publishes to this queue (${suggest(from, queues)}); add publishTo("${from}") to one`;
  }
  const other = definitions.find((one) => one.name !== name && one.from === from);
  if (other) {
    yield `from "${from}": ${other.name} consumes this queue too; each consumer needs a queue of its own`;
  }
}

/** The queues that functions publish to. */
export function queuesOf(definitions: readonly Definition[]): string[] {
  const published = definitions.flatMap(({ effects }) =>
    effects.flatMap(({ system, destination }) => (system === "rabbitmq" ? [destination] : [])),
  );
  return [...new Set(published)];
}

function* schemasOf({ routes }: Definition) {
  for (const { method, path, body } of routes) {
    if (!body || "~standard" in body) continue;
    try {
      compileSchema(body, "");
    } catch (thrown) {
      const reason = HostError.from(thrown).message.replace(/^: /, "");
      yield `routes "${method} ${path}": ${reason}`;
    }
  }
}

function* subdomainOf(definition: Definition, { definitions }: Known) {
  const subdomain = subdomainOrName(definition);
  const other = definitions.find(
    (one) => one.name !== definition.name && subdomain && subdomainOrName(one) === subdomain,
  );
  if (other) {
    yield `subdomain "${subdomain}": ${other.name} is public under it too; choose another in deploy.subdomain`;
  }
}

function subdomainOrName({ name, deploy }: Definition): string | undefined {
  return deploy.public ? (deploy.subdomain ?? name) : undefined;
}
