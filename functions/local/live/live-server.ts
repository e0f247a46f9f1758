/**
 * What the page on this machine knows: receives the functions' spans, and shows the live graph, traces and logs;
 * stops and starts functions. It listens on 127.0.0.1 and answers no page: the `ui` function asks it for its page.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { HostError } from "#host/base/errors";
import { deadLetterName } from "#host/events/queue";
import { sendAnswer, sendProblem } from "#host/http/answer";
import { matchPath } from "#host/http/route";
import { createGraphFeed } from "../../ui/graph-feed.ts";
import { type LiveGraph, type LiveNode, type NodeState, queueName } from "../../ui/live.ts";
import { type LiveName, liveNames, livePaths } from "../../ui/live-contract.ts";
import type { Canary } from "../canary/canary.ts";
import { declaredGraph } from "../declared-graph.ts";
import type { Deployable } from "../discover.ts";
import type { FunctionProcess } from "../function-process.ts";
import { createOtlpReceiver } from "../otlp-receiver.ts";
import { createDeadLetterAnswers } from "./dead-letter-answers.ts";
import { FunctionStates } from "./function-states.ts";
import { createLiveAnswers, type LiveRequest } from "./live-answers.ts";
import { telemetryNotices } from "./live-env.ts";
import { createLiveFigures } from "./live-figures.ts";
import { graphWith, withRevisions } from "./live-revisions.ts";
import { createLogTail } from "./log-tail.ts";
import { windowSeconds } from "./meter.ts";
import { createQueueDepth, type QueueDepth } from "./queue-depth.ts";
import { createSpanReader } from "./seen-spans.ts";
import { createSpanForwarder } from "./span-forwarder.ts";
import { createSpanRing } from "./span-ring.ts";

export interface LiveServer {
  /** "http://127.0.0.1:PORT": where the functions send their spans, and `ui` asks. */
  readonly origin: string;
  /** A line of a function's log. */
  log(line: string): void;
  /** Shows how many messages wait, once the broker's address is known. */
  watchQueues(url: string): void;
  /** Ends the streams, and stops and starts nothing any more; spans are received until it is closed. */
  drain(): void;
  close(): Promise<void>;
}

export interface LiveServerOptions {
  functions: readonly Deployable[];
  addresses: ReadonlyMap<string, number>;
  /** By function, filled while they are started. */
  processes: ReadonlyMap<string, FunctionProcess>;
  canary?: Canary | undefined;
  /** Functions may be stopped and started: not where they are one process. */
  control: boolean;
  /** May name a receiver that gets the spans as well. */
  env: NodeJS.ProcessEnv;
  report(line: string): void;
}

const lookEveryMs = 1_000;
/** A function that hangs does not hold up the picture of the others. */
const lookLimitMs = 200;

export async function startLiveServer(options: LiveServerOptions): Promise<LiveServer> {
  const { functions, addresses, processes, canary, env, report } = options;
  const declared = graphWith(declaredGraph(functions), canary);
  const seenSpans = createSpanReader(
    canary && { ...canary, port: addresses.get(canary.name) ?? 0 },
  );
  const ring = createSpanRing();
  const figures = createLiveFigures(declared);
  for (const notice of telemetryNotices(env)) report(notice);
  const forwarder = createSpanForwarder(env, report);
  const tail = createLogTail([...addresses.keys()]);
  const states = new FunctionStates();
  const queues = declared.nodes.filter(({ kind }) => kind === "queue").map(queueName);
  let broker: { readonly url: string; readonly depth: QueueDepth } | undefined;
  let looked = { at: Number.NEGATIVE_INFINITY, done: Promise.resolve() };
  let draining = false;

  const look = async () => {
    const running = [...processes].map(([name, process]) => {
      return [name, process, addresses.get(name) ?? 0] as const;
    });
    await Promise.all([states.look(running), broker?.depth.look()]);
  };
  const stateOf = (node: Pick<LiveNode, "name" | "kind">): NodeState => {
    const process = processes.get(node.name);
    if (process) return states.of(node.name, process);
    if (node.kind !== "queue" || !broker) return "unknown";
    return broker.depth.of(queueName(node)) === null ? "not ready" : "ready";
  };
  const take = async (): Promise<LiveGraph> => {
    const now = Date.now();
    if (now - looked.at >= lookEveryMs) looked = { at: now, done: look() };
    await Promise.race([looked.done, delay(lookLimitMs, undefined, { ref: false })]);
    const nodes = withRevisions(figures.nodes(now), canary).map((node) => ({
      ...node,
      state: stateOf(node),
      ...(node.kind === "queue" && {
        depth: broker?.depth.of(queueName(node)) ?? null,
        deadLetters: broker?.depth.of(deadLetterName(queueName(node))) ?? null,
      }),
    }));
    const at = new Date(now).toISOString();
    return { at, windowSeconds, source: "spans", nodes, edges: figures.edges(now) };
  };

  const feed = createGraphFeed(take);
  const receive = createOtlpReceiver({
    take: (bytes) => figures.see(ring.add(bytes.length, seenSpans(bytes))),
    onBody: (body) => forwarder?.send(body),
  });
  const processOf = (name: string) => (draining ? undefined : processes.get(name));
  const { control } = options;
  const deadLetters = createDeadLetterAnswers(queues, () => broker);
  const live = createLiveAnswers({
    ...{ take, feed, ring, tail, report },
    ...{ control, processOf, deadLetters },
  });

  const server = createServer((request, response) => {
    if (request.method === "POST" && request.url === "/v1/traces") {
      const refused = refusalOf(request, port);
      if (refused) sendProblem(response, refused);
      else void receive(request, response);
    } else void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    try {
      const refused = refusalOf(request, port);
      if (refused) throw refused;
      const { name, asked } = pathOf(request);
      sendAnswer(response, await live.answers[name](asked));
    } catch (thrown) {
      sendProblem(response, HostError.from(thrown));
    }
  };
  // Longer than the pauses of exporters, which would else send on a connection that is just being closed.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // Any free port: only the functions need to know it.
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;

  const drain = () => {
    draining = true;
    feed.end();
    live.end();
  };
  return {
    origin: `http://127.0.0.1:${port}`,
    log: tail.add,
    watchQueues(url) {
      broker ??= {
        url,
        depth: createQueueDepth(url, [...queues, ...queues.map(deadLetterName)]),
      };
    },
    drain,
    async close() {
      drain();
      await Promise.all([broker?.depth.close(), forwarder?.close()]);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Pages of whatever origin are refused, by name too: one whose name leads here (DNS rebinding) has another Host. */
function refusalOf({ headers }: IncomingMessage, port: number): HostError | undefined {
  const isOurs = [`127.0.0.1:${port}`, `localhost:${port}`].includes(headers.host ?? "");
  const fromPage = headers.origin !== undefined || "sec-fetch-site" in headers;
  if (isOurs && !fromPage) return undefined;
  return new HostError("ERR_BAD_REQUEST", "this is for functions, not for pages");
}

function pathOf({ method, url = "/" }: IncomingMessage): { name: LiveName; asked: LiveRequest } {
  const [pathname = "/", query] = url.split(/\?(.*)/s, 2);
  for (const name of liveNames) {
    const parameters =
      livePaths[name].method === method && matchPath(livePaths[name].path, pathname);
    if (parameters) return { name, asked: { parameters, query: new URLSearchParams(query) } };
  }
  throw new HostError("ERR_NOT_FOUND", `there is no ${method} ${pathname}`);
}
