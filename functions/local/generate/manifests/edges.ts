/**
 * Who may call whom, by account: the declared edges and what the platform adds to them. Policies at the functions
 * and at Knative's activator, at the broker and at the database all come from here.
 */
import type { Definition } from "#host/kinds/definition";
import { sourcesOf } from "../../declared-graph.ts";
import type { Deployable } from "../../discover.ts";
import { sourceAccount } from "./source.ts";

export interface Edges {
  /** Accounts of this environment's namespace. */
  readonly accounts: readonly string[];
  /** Whether the way in from outside may call it too. */
  readonly public: boolean;
}

/** A gateway and a page are for those outside: nothing in the mesh calls them. A gateway triggers any function. */
export function callersOf(
  { name, definition }: Deployable,
  definitions: readonly Definition[],
): Edges {
  const isPublic = definition?.deploy.public ?? false;
  if (definition?.kind === "gateway" || definition?.kind === "ui") {
    return { accounts: [], public: isPublic };
  }
  const callers = definitions.filter(
    // What a bridge calls follows from `from`, below.
    ({ kind, calls }) => kind !== "bridge" && calls.some((callee) => callee.name === name),
  );
  const from = definition?.from;
  const accounts = [
    ...namesOf(definitions, "gateway"),
    ...callers.map((caller) => caller.name),
    ...(from === undefined ? [] : [sourceAccount(from), ...namesOf(definitions, "bridge")]),
  ];
  return { accounts: [...new Set(accounts)], public: isPublic };
}

/** Those who save, or those who publish and consume: each queue's source, and the bridge in its place. */
export function usersOf(system: "mongodb" | "rabbitmq", definitions: readonly Definition[]) {
  const users = definitions
    .filter(({ effects }) => effects.some((effect) => effect.system === system))
    .map(({ name }) => name);
  if (system === "mongodb") return users;
  const sources = sourcesOf(definitions).map(({ queue }) => sourceAccount(queue));
  return [...users, ...sources, ...(sources.length > 0 ? namesOf(definitions, "bridge") : [])];
}

function namesOf(definitions: readonly Definition[], wanted: Definition["kind"]): string[] {
  return definitions.filter(({ kind }) => kind === wanted).map(({ name }) => name);
}
