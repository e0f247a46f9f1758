/** Every way that an event takes to service-f's messages, all of it real: by HTTP, by the gateway, by the queue. */
import assert from "node:assert/strict";
import { after } from "node:test";
import { type ConsumeMessage, connect, type Options } from "amqplib";
import { MongoClient } from "mongodb";
import { grpc, publishTo, saveTo, subscriber } from "#host";
import type { EventJson } from "#host/events/event-rules";
import { deadLetterName, deadLetterReasonHeader } from "#host/events/queue";
import { bridge } from "../../bridge/bridge.ts";
import { gateway } from "../../gateway/gateway.ts";
import { graphOf } from "../../local/declared-graph.ts";
import { ask } from "./ask.ts";
import { startEffectHost, unique } from "./effect-host.ts";
import { useBroker, useDatabase } from "./services.ts";
import { testCall } from "./test-call.ts";
import { startTestHost } from "./test-host.ts";
import { until } from "./until.ts";

export type Headers = Readonly<Record<string, string | string[]>>;

/** What became of an event: stored, or refused, and why. */
export interface Outcome {
  /** Undefined by the queue, which has no statuses. */
  readonly status?: number;
  readonly refusal?: string;
}

export interface QueueMessage {
  readonly body: Buffer;
  readonly properties: Options.Publish;
}

export type Way = "HTTP" | "the gateway" | "the queue";

export interface EventGraph {
  readonly brokerUrl: string;
  /** The one that service-f consumes. */
  readonly queue: string;
  /** Sends headers and a body this way, and waits for the end of it. By the queue the headers are the message's. */
  send(way: Way, headers: Headers, body: Buffer): Promise<Outcome>;
  /** Publishes messages to the queue as they are, and waits for the end of all; how many of them were stored. */
  sendMessages(messages: readonly QueueMessage[]): Promise<number>;
  /** Publishes an event as a function does. */
  publish(event: EventJson, headers?: Record<string, string>): Promise<void>;
  /** The event that was stored, by its source and id; waits for it. */
  stored(source: string, id: string): Promise<EventJson>;
  /** Why messages were dead-lettered so far. */
  readonly refusals: readonly string[];
}

/** Until the test file ends. */
export async function startEventGraph(): Promise<EventGraph> {
  const closing = new AsyncDisposableStack();
  after(() => closing.disposeAsync());
  const env = { RABBITMQ_URL: await useBroker(), MONGODB_URL: await useDatabase() };
  const queue = unique("events");
  const database = unique("corpus").replaceAll("-", "");
  const definition = subscriber({
    name: "service-f",
    greeting: "Hola",
    from: queue,
    effects: [saveTo(`${database}.messages`)],
  });
  const client = await MongoClient.connect(env.MONGODB_URL);
  closing.defer(() => client.close());
  const messages = client.db(database).collection<{ _id: string; event: EventJson }>("messages");
  const connection = await connect(env.RABBITMQ_URL);
  closing.defer(() => connection.close());

  const host = closing.use(await startTestHost(definition, { env }));
  const declared = graphOf([definition]);
  const entry = closing.use(
    await startTestHost(
      gateway({
        name: "gateway",
        to: grpc("service-f"),
        graph: { ...declared, nodes: [{ name: "gateway", kind: "gateway" }, ...declared.nodes] },
      }),
      { callees: { "service-f": host.address } },
    ),
  );
  const { host: sender, effect: publisher } = await startEffectHost(publishTo(queue), env);
  closing.use(sender);
  await until("the queue is there", () => sender.ready());
  const definitionOfBridge = bridge({ name: "bridge", sources: [{ queue, to: "service-f" }] });
  closing.use(
    await startTestHost(definitionOfBridge, { env, callees: { "service-f": host.address } }),
  );

  const channel = await connection.createConfirmChannel();
  const refusals: string[] = [];
  const refused = (message: ConsumeMessage | null) => {
    refusals.push(String(message?.properties.headers?.[deadLetterReasonHeader]));
  };
  await channel.consume(deadLetterName(queue), refused, { noAck: true });

  const bySend = async (port: number, path: string, headers: Headers, body: Buffer) => {
    const answer = await ask(port, path, { method: "POST", headers, body });
    const refusal = answer.status < 300 ? undefined : answer.text;
    return { status: answer.status, ...(refusal !== undefined && { refusal }) };
  };
  const sendMessages = async (sent: readonly QueueMessage[]): Promise<number> => {
    const [before, stored] = [refusals.length, await messages.countDocuments()];
    for (const { body, properties } of sent) channel.publish("", queue, body, properties);
    await channel.waitForConfirms();
    let found = 0;
    await until("every message is stored or refused", async () => {
      found = (await messages.countDocuments()) - stored;
      return found + refusals.length - before >= sent.length;
    });
    return found;
  };
  const byQueue = async (headers: Headers, body: Buffer): Promise<Outcome> => {
    const contentType = String(headers["content-type"] ?? "");
    const stored = await sendMessages([
      { body, properties: { headers, contentType, persistent: true } },
    ]);
    return stored > 0 ? {} : { refusal: refusals.at(-1) ?? "" };
  };

  return {
    brokerUrl: env.RABBITMQ_URL,
    queue,
    refusals,
    sendMessages,
    send(way, headers, body) {
      if (way === "the queue") return byQueue(headers, body);
      if (way === "HTTP") return bySend(host.port, "/", headers, body);
      return bySend(entry.port, "/api/services/service-f/events", headers, body);
    },
    async publish(event, headers = {}) {
      using call = testCall({ headers, timeoutMs: 10_000 });
      await publisher.apply({ id: event.id, event }, call);
    },
    async stored(source, id) {
      const _id = `${source} ${id}`;
      const find = () => messages.findOne({ _id });
      await until(`${_id} is stored, refused are ${refusals.join(" | ")}`, find);
      const found = await find();
      assert.ok(found);
      return JSON.parse(JSON.stringify(found.event));
    },
  };
}
