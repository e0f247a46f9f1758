/**
 * The wake-up of a graph at zero: a call that is not answered soon wakes its callee and every function below it at
 * once, by a GET /wake each. So a chain of calls starts in the time of one start, and not one level after the other.
 *
 * W1 A warm graph is not woken: only a callee that was silent for the idle period, and then for a moment, counts as asleep.
 * W2 A function is woken once in an idle period, however many requests wait for it. One that is woken takes all below it
 *    as woken by the same caller; so the callee is woken too, though the call itself would start it.
 * W3 A wake neither delays nor fails the request that it is for.
 */
import { type ClientRequest, request } from "node:http";
import { codeOfHttp, HostError, reasonOf } from "../base/errors.ts";
import type { PropagatedHeaders } from "../base/headers.ts";
import { functionsIn, type WakeConfig, wakePath } from "../base/wake-config.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { Call } from "./call.ts";
import { createPeers } from "./peer.ts";

export interface Wake {
  /** Notes a call. The answer has to be noted too; undefined where nothing is known of the callee. */
  calling(callee: string, call: Call): { heard(): void } | undefined;
  /** Wakes the queue's consumers, if nothing was published to it within the idle period. */
  publishing(queue: string, call: Call): void;
  /** This function was woken itself. */
  woken(): void;
  /** Ends what is under way. */
  close(): void;
}

export interface WakeParts {
  addressOf(name: string): string;
  readonly tracing: Tracing;
  readonly metrics: Metrics | undefined;
}

/** A function, or a queue. */
interface Place {
  readonly name: string;
  readonly below: readonly Place[];
  /** When it answered or was woken last, of a queue when it was published to. */
  heardAt: number;
  isWatched: boolean;
  heard(): void;
}

/** Long enough for the answer of a callee that is there. Jittered, so that callers do not wake all at once. */
const moments = { call: [50, 100], publish: [10, 20] } as const;

export function createWake(
  { graph, idleMs }: WakeConfig,
  { addressOf, tracing, metrics }: WakeParts,
  { now = () => performance.now(), later = afterwards } = {},
): Wake {
  const peerOf = createPeers(addressOf);
  const places = placesIn(graph, now);
  const underWay = new Set<ClientRequest>();
  const isIdle = ({ heardAt }: Place) => now() - heardAt > idleMs;
  metrics?.expectWakes(functionsIn(graph));

  const ask = (name: string, headers: PropagatedHeaders, deadline: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { hostname, port } = peerOf(name);
    const outgoing = request({ agent: false, hostname, port, path: wakePath, headers });
    underWay.add(outgoing);
    const giveUp = () =>
      outgoing.destroy(new HostError("ERR_DEADLINE", `${name}: not awake within the deadline`));
    const late = setTimeout(giveUp, Math.max(1, deadline - Date.now()));
    outgoing.on("error", reject);
    outgoing.once("response", (answer) => {
      answer.resume();
      const { statusCode = 0 } = answer;
      if (statusCode < 300) return resolve();
      const detail = `${name}: answered the wake with HTTP status ${statusCode}`;
      reject(new HostError(codeOfHttp(statusCode), detail));
    });
    outgoing.once("close", () => {
      clearTimeout(late);
      underWay.delete(outgoing);
    });
    outgoing.end();
    return promise.catch((thrown) => {
      if (thrown instanceof HostError) throw thrown;
      const detail = `${name}: unreachable (${reasonOf(thrown)})`;
      throw new HostError("ERR_CALLEE", detail, { cause: thrown });
    });
  };
  const wake = (place: Place, call: Call) => {
    place.heard();
    const { name } = place;
    const attributes = { "faas.invoked_name": name };
    tracing
      .run({ kind: "internal", name: `wake ${name}`, attributes }, call, ({ headers }) =>
        ask(name, headers, call.deadline),
      )
      .catch((err) => call.log.debug({ err }, `${name} was not woken`));
  };
  const wakeAll = (asleep: readonly Place[], call: Call) => {
    for (const place of asleep) if (isIdle(place)) wake(place, call);
  };

  return {
    calling(callee, call) {
      const place = places.get(callee);
      if (place && place.below.length > 0 && !place.isWatched && isIdle(place)) {
        place.isWatched = true;
        later(moments.call, () => {
          place.isWatched = false;
          if (isIdle(place)) wakeAll([place, ...place.below], call);
        });
      }
      return place;
    },
    publishing(queue, call) {
      const place = places.get(`rabbitmq:${queue}`);
      if (!place) return;
      const wasIdle = isIdle(place);
      place.heard();
      if (wasIdle) later(moments.publish, () => wakeAll(place.below, call));
    },
    woken() {
      for (const place of places.values()) place.heard();
    },
    close() {
      for (const one of underWay) one.destroy(new HostError("ERR_DRAINING", "shutting down"));
    },
  };
}

function placesIn(graph: WakeConfig["graph"], now: () => number): ReadonlyMap<string, Place> {
  const places = new Map<string, Place & { below: Place[] }>();
  const edges = new Map(Object.entries(graph));
  for (const name of new Set([...edges].flat(2))) {
    const heard = () => {
      place.heardAt = now();
    };
    const place = { name, below: [], heardAt: Number.NEGATIVE_INFINITY, isWatched: false, heard };
    places.set(name, place);
  }
  for (const place of places.values()) {
    const found = new Set(edges.get(place.name));
    // A set is walked to its end, with all that is added on the way.
    for (const name of found) for (const next of edges.get(name) ?? []) found.add(next);
    found.delete(place.name);
    for (const name of found) place.below.push(places.get(name) as Place);
  }
  return places;
}

/**
 * In two steps: a process that has just started may be held up for longer than the moment. The second step begins when it
 * runs again, and so it first reads what has come in: answers, and a wake of its own.
 */
function afterwards([least, most]: readonly [number, number], act: () => void): void {
  const ms = least + Math.random() * (most - least);
  setTimeout(() => setTimeout(act, ms / 2).unref(), ms / 2).unref();
}
