/** The gateway's triggers: whatever name and path are asked for, no request reaches what no function declares. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { test } from "node:test";
import { type handleUnaryCall, Server, ServerCredentials } from "@grpc/grpc-js";
import fc from "fast-check";
import { addressVariable } from "#host/base/config";
import { matchPath } from "#host/http/route";
import { startListener } from "#host/serve/listener";
import { GreetingServiceService } from "#proto";
import graph from "../../gateway/graph.json" with { type: "json" };
import { ask } from "../support/ask.ts";
import { answerTo, assertOurs, framed } from "../support/fuzz/answers.ts";
import { fuzz } from "../support/fuzz/fuzz.ts";
import { bytes } from "../support/fuzz/http-headers.ts";
import { hostileTarget } from "../support/fuzz/http-requests.ts";
import { startTarget } from "../support/fuzz/target.ts";

const nodes = graph.nodes as { name: string; routes?: { method: string; path: string }[] }[];
const named = nodes.map(({ name }) => name);

const answer = { greeting: [{ id: "1", service: "s", message: "m", created: "c" }] };

/** In place of every function, with both protocols on its port: keeps what reaches it over HTTP. */
async function startRecorder() {
  const reached: { name: string; method: string; url: string }[] = [];
  const grpc = new Server();
  const greeting: handleUnaryCall<unknown, typeof answer> = (_, reply) => reply(null, answer);
  grpc.addService(GreetingServiceService, { greeting });
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const start = (name: string) => {
    const http = createServer((request, response) => {
      const { method = "", url = "" } = request;
      reached.push({ name, method, url });
      request.resume().once("end", () => {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(answer));
      });
    });
    const acceptHttp2 = (socket: Socket) => injector.injectConnection(socket);
    return startListener({ port: 0, host: "127.0.0.1", http, acceptHttp2, silenceMs: 5_000 });
  };
  const listeners = await Promise.all(named.map(start));
  const env = listeners.map(({ port }, i) => [
    addressVariable(named[i] ?? ""),
    `127.0.0.1:${port}`,
  ]);
  return {
    reached,
    env: Object.fromEntries(env) as Record<string, string>,
    async [Symbol.asyncDispose]() {
      injector.destroy();
      grpc.forceShutdown();
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}

function isDeclared({ name, method, url }: { name: string; method: string; url: string }): boolean {
  const [path = ""] = url.split("?", 1);
  const routes = nodes.find((node) => node.name === name)?.routes ?? [];
  return routes.some((route) => route.method === method && matchPath(route.path, path));
}

const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("service-f", "service-a", ...named) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...[
        "",
        ".",
        "..",
        "%2e%2e",
        "..%2f",
        "%2f",
        "service-f%2f",
        "service-f%2fmetrics",
        "*",
        "{name}",
      ],
      ...[
        "service-f:80",
        "service-f@evil",
        "evil.example",
        "127.0.0.1:9",
        "localhost",
        "%5b%3a%3a1%5d",
      ],
      ...[
        "SERVICE-F",
        "service-f%00",
        "service-f%20",
        "service-f.",
        "service_f",
        "service-f;x",
        "%ff",
      ],
      ...[
        "__proto__",
        "constructor",
        "toString",
        "hasOwnProperty",
        "rabbitmq",
        "mongodb",
        "x".repeat(9_000),
      ],
    ),
  },
  { weight: 2, arbitrary: bytes.map(encodeURIComponent) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...named).map((one) => encodeURIComponent(`${one}\u0000`)),
  },
);

const path = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...[
        "/greeting",
        "/messages",
        "/messages?limit=3",
        "/events",
        "/api/greeting",
        "/api/messages",
        "",
      ],
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...[
        "/",
        "//",
        "/healthz",
        "/readyz",
        "/metrics",
        "/wake",
        "/api",
        "/api/",
        "/api/api/messages",
        "/Messages",
      ],
      ...[
        "/../metrics",
        "/%2e%2e/metrics",
        "/messages/../metrics",
        "/messages%2f..%2fmetrics",
        "/./messages",
      ],
      ...[
        "/messages/",
        "//messages",
        "/messages%3flimit=1",
        "/messages%23",
        "/messages;a",
        "/messages%00",
      ],
      ...[
        "/api/services/service-a/greeting",
        "/greeting.GreetingService/Greeting",
        "/messages?limit=%00",
      ],
      ...[
        "/messages?limit=1%0d%0ahost:%20evil",
        "/messages?a=b#c",
        "/messages?__proto__[x]=1",
        "/%0d%0a",
      ],
    ),
  },
  { weight: 3, arbitrary: hostileTarget },
  { weight: 2, arbitrary: bytes.map((text) => `/${encodeURIComponent(text)}`) },
);

const header = fc.constantFrom<readonly [string, string]>(
  ...([
    ["transfer-encoding", ""],
    ["x-call-protocol", "grpc"],
    ["x-call-protocol", "telnet"],
    ["connection", "x-request-id, content-length"],
    ["x-forwarded-host", "evil.example"],
    ["content-type", "application/json"],
    ["upgrade", "h2c"],
    ["x-original-url", "/metrics"],
  ] as const),
);

const input = fc.record({
  method: fc.constantFrom(
    "GET",
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
  ),
  name,
  path,
  headers: fc.array(header, { maxLength: 2 }),
  body: fc.oneof(fc.constant(Buffer.alloc(0)), fc.uint8Array({ maxLength: 50 }).map(Buffer.from)),
});

type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

function bytesOf({ method, name, path, headers, body }: Input): Buffer {
  return framed(`${method} /api/services/${name}${path}`, headers, Buffer.from(body));
}

test("hostile names and paths reach declared routes alone", async (context) => {
  await using recorder = await startRecorder();
  await using target = await startTarget("gateway", { env: recorder.env });
  await fuzz(context, {
    seam: "triggers",
    input,
    bytesOf,
    async send(given) {
      recorder.reached.length = 0;
      assertOurs(await answerTo(target.port, bytesOf(given)), given.method === "HEAD");
      assert.deepEqual(
        recorder.reached.filter((one) => !isDeclared(one)),
        [],
      );
    },
    targets: [target],
    async wellAfter() {
      recorder.reached.length = 0;
      const { status } = await ask(target.port, "/api/services/service-f/messages?limit=1");
      assert.equal(status, 200);
      assert.deepEqual(recorder.reached, [
        { name: "service-f", method: "GET", url: "/api/messages?limit=1" },
      ]);
    },
  });
});
