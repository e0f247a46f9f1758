/** What is true of a call whatever its protocol: each client's own tests begin with these. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { HostError } from "#host/base/errors";
import type { Call } from "#host/call/call";
import type { Greeting } from "#proto";
import { openProxy } from "../../chaos/proxy.ts";
import { openGate } from "./gate.ts";
import { testCall } from "./test-call.ts";
import { testFunction } from "./test-function.ts";
import { startTestHost } from "./test-host.ts";
import { until } from "./until.ts";

interface Client extends Disposable {
  greetings(callee: string, call: Call): Promise<Greeting[]>;
}

const some: Greeting[] = [
  { id: "1", service: "Service-C", message: "Konnichiwa, こんにちは", created: "now" },
  { id: "2", service: "", message: "", created: "" },
];
const greets = testFunction({ greetings: async () => some }, { name: "callee" });

/** `create` makes a client that finds its callee at the address. */
export function claimsOfBothClients(protocol: string, create: (address: string) => Client): void {
  const claim = (title: string, run: () => Promise<void>) => test(`${protocol}: ${title}`, run);

  claim("the callee's greetings arrive as they are, in order", async () => {
    await using host = await startTestHost(greets);
    using client = create(host.address);
    using call = testCall();
    assert.deepEqual(await client.greetings("callee", call), some);
  });

  claim("of a callee with two addresses each gets its share of the calls", async () => {
    const counts = [0, 0];
    const hosts = counts.map((_, i) =>
      startTestHost(
        testFunction({
          async greetings() {
            counts[i] = (counts[i] ?? 0) + 1;
            return some;
          },
        }),
      ),
    );
    await using first = await hosts[0];
    await using second = await hosts[1];
    using client = create(`${first?.address}=75,${second?.address}=25`);
    using call = testCall();
    for (let i = 0; i < 40; i++) await client.greetings("callee", call);
    assert.deepEqual(counts, [30, 10]);
  });

  claim("a callee's error arrives with its code and its path of hops", async () => {
    const fails = testFunction({
      greetings: () => Promise.reject(new HostError("ERR_STORE", "callee > leaf: MongoDB is away")),
    });
    await using host = await startTestHost(fails);
    using client = create(host.address);
    using call = testCall();
    const error = { code: "ERR_STORE", message: "callee > leaf: MongoDB is away" };
    await assert.rejects(client.greetings("callee", call), error);
  });

  claim(
    "a callee that is away is named with its address, and reached once it is back",
    async () => {
      const first = await startTestHost(greets);
      using client = create(first.address);
      using call = testCall();
      await client.greetings("callee", call);
      await first.close();
      for (let i = 0; i < 3; i++) {
        await assert.rejects(client.greetings("callee", call), (error: HostError) => {
          assert.equal(error.code, "ERR_CALLEE");
          assert.ok(
            error.message.startsWith(`callee: unreachable at ${first.address} (`),
            error.message,
          );
          return true;
        });
      }
      await using _ = await startTestHost(greets, { env: { PORT: String(first.port) } });
      const reached = () => client.greetings("callee", call).catch(() => undefined);
      // A channel of gRPC waits for a moment before it connects again.
      await until("it is reached", async () => isDeepStrictEqual(await reached(), some), 1_000);
      client[Symbol.dispose]();
    },
  );

  claim("a connection that was lost while it was idle is not noticed by a call", async () => {
    await using host = await startTestHost(greets);
    await using gate = await openGate(`tcp://${host.address}`);
    using client = create(new URL(gate.url).host);
    using call = testCall();
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await client.greetings("callee", call), some);
      await gate.shut();
      await gate.open();
    }
  });

  claim(
    "a connection whose far end is gone without a word costs one call its deadline",
    async () => {
      await using host = await startTestHost(greets);
      await using proxy = await openProxy([host.port]);
      using client = create(`127.0.0.1:${proxy.port}`);
      using call = testCall();
      await client.greetings("callee", call);
      proxy.halfOpen();
      using short = testCall({ timeoutMs: 200 });
      await assert.rejects(client.greetings("callee", short), { code: "ERR_DEADLINE" });
      const reached = () => client.greetings("callee", call).catch(() => undefined);
      // A channel of gRPC waits for a moment before it connects again.
      await until("it is reached", async () => isDeepStrictEqual(await reached(), some), 1_000);
      client[Symbol.dispose]();
    },
  );

  claim("calls share connections instead of opening one each", async () => {
    await using host = await startTestHost(greets);
    using client = create(host.address);
    using call = testCall();
    for (let i = 0; i < 5; i++) await client.greetings("callee", call);
    assert.equal(host.connections(), 1);
  });

  claim("a callee that says nothing is given up at the deadline", async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket.on("error", () => {})));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    using client = create(`127.0.0.1:${port}`);
    using call = testCall({ timeoutMs: 60 });
    const error = { code: "ERR_DEADLINE", message: /^callee: no answer within/ };
    await assert.rejects(client.greetings("callee", call), error);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  claim("a caller that aborts gets its own reason, and the callee's call aborts", async () => {
    const entered = Promise.withResolvers<Call>();
    const waits = testFunction({
      greetings(call) {
        entered.resolve(call);
        return new Promise((_, reject) => {
          call.signal.addEventListener("abort", () => reject(call.signal.reason));
        });
      },
    });
    await using host = await startTestHost(waits);
    using client = create(host.address);
    using call = testCall();
    const answer = client.greetings("callee", call);
    const { signal } = await entered.promise;
    assert.equal(signal.aborted, false);
    call.abort(new HostError("ERR_CANCELLED", "enough"));
    await assert.rejects(answer, { code: "ERR_CANCELLED", message: "callee: enough" });
    await until("the callee's call aborts", () => signal.aborted);
    assert.equal(signal.reason.code, "ERR_CANCELLED");
  });

  claim("a call that is over is not made", async () => {
    await using host = await startTestHost(greets);
    using client = create(host.address);
    using call = testCall();
    call.abort(new HostError("ERR_CANCELLED", "enough"));
    await assert.rejects(client.greetings("callee", call), { code: "ERR_CANCELLED" });
    assert.equal(host.connections(), 0);
  });

  claim("the call's headers arrive, and less time than the caller has", async () => {
    const calls: Call[] = [];
    const notes = testFunction({
      greetings: async (call) => {
        calls.push(call);
        return some;
      },
    });
    const headers = { "x-request-id": "r1", baggage: "a=1", "grpc-trace-bin": "AP+AAQ==" };
    await using host = await startTestHost(notes);
    using client = create(host.address);
    using call = testCall({ headers, timeoutMs: 3_000 });
    await client.greetings("callee", call);
    assert.deepEqual(calls[0]?.headers, headers);
    assert.ok((calls[0]?.deadline ?? 0) < call.deadline);
  });
}
