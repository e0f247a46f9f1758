/**
 * What the clients were told, compared with what the database and the queues hold.
 *
 * L1 A 200 promises four documents: the greetings of C, G and H in their collections, D's in F's.
 * L2 A request that was not answered with 200 may have left one document in each collection, and no more: its own,
 *    whose id follows from the request's key. Any other document is doubled.
 * L3 At the end no message waits, neither in the queue nor in the dead-letter queue.
 */
import type { Greeting } from "#proto";
import { idsOf } from "./expected.ts";
import type { Asked } from "./load.ts";
import type { Stores } from "./stores.ts";

export interface Balance {
  lost: number;
  doubled: number;
  /** Documents that differ from what the client was told, and ids that two clients got. */
  wrong: number;
  /** The first of them, in words. */
  examples: string[];
}

export interface Ledger {
  add(asked: readonly Asked[]): void;
  /** A message that something else has published, with the id of its event. */
  addEvent(id: string): void;
  /** Ids that were promised before this time and are not stored yet. */
  missing(stores: Stores, before: number): Promise<number>;
  compare(stores: Stores): Promise<Balance>;
}

const collections = {
  "Service-C": "service-c",
  "Service-G": "service-g",
  "Service-H": "service-h",
};

export function createLedger(): Ledger {
  const requests: Asked[] = [];
  const events = new Set<string>();
  const stored = new Set<string>();

  const promisedBy = (one: Asked): readonly Greeting[] =>
    one.verdict.kind === "right" ? one.verdict.greetings : [];

  return {
    add: (asked) => void requests.push(...asked),
    addEvent: (id) => void events.add(id),
    async missing(stores, before) {
      const wanted = requests
        .filter(({ doneAt }) => doneAt < before)
        .flatMap((one) => promisedBy(one).filter(({ service }) => service === "Service-D"))
        .map(({ id }) => id)
        .filter((id) => !stored.has(id));
      for (const id of await stores.storedEvents(wanted)) stored.add(id);
      return wanted.filter((id) => !stored.has(id)).length;
    },
    async compare(stores) {
      const balance: Balance = { lost: 0, doubled: 0, wrong: 0, examples: [] };
      const count = (what: "lost" | "doubled" | "wrong", example: string) => {
        balance[what]++;
        if (balance.examples.length < 5) balance.examples.push(`${what}: ${example}`);
      };
      const told = new Map<string, { greeting: Greeting; request: Asked }>();
      for (const request of requests) {
        const ids = new Set(idsOf(request.id).values());
        for (const greeting of promisedBy(request)) {
          if (!ids.has(greeting.id)) count("wrong", `${greeting.id} is not of ${request.id}`);
          if (told.has(greeting.id)) count("wrong", `${greeting.id} was given to two clients`);
          told.set(greeting.id, { greeting, request });
        }
      }
      const failed = requests.filter(({ verdict }) => verdict.kind !== "right");
      const allowed = new Set(failed.flatMap(({ id }) => [...idsOf(id).values()]));
      for (const [service, name] of Object.entries(collections)) {
        const documents = await stores.greetings(name);
        const byId = new Map(documents.map((one) => [one.id, one]));
        for (const { greeting, request } of told.values()) {
          if (greeting.service !== service) continue;
          const found = byId.get(greeting.id);
          const when = new Date(request.doneAt).toISOString();
          if (!found) count("lost", `${name} has no ${greeting.id}, answered at ${when}`);
          else if (found.message !== greeting.message) {
            count("wrong", `${name} has ${JSON.stringify(found)}`);
          }
        }
        for (const { id, created } of documents) {
          if (told.has(id) || allowed.has(id)) continue;
          count("doubled", `${name} has ${id} of ${created}, which no request explains`);
        }
      }
      const kept = await stores.events();
      const byEvent = Map.groupBy(kept, ({ id }) => id);
      for (const id of events) if (!byEvent.has(id)) count("lost", `F has no event ${id}`);
      for (const { greeting, request } of told.values()) {
        if (greeting.service !== "Service-D") continue;
        const when = new Date(request.doneAt).toISOString();
        const [found] = byEvent.get(greeting.id) ?? [];
        if (!found) count("lost", `F has no ${greeting.id}, answered at ${when}`);
        else if (found.message !== greeting.message) count("wrong", `F has ${found.message}`);
      }
      for (const [id, same] of byEvent) if (same.length > 1) count("doubled", `F has ${id} twice`);
      // The event carries its request's id: one request, one event.
      for (const [request, same] of Map.groupBy(kept, (one) => one.request)) {
        if (request && same.length > 1)
          count("doubled", `F has ${same.length} events of ${request}`);
      }
      return balance;
    },
  };
}
