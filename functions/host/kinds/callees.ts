import { randomUUID } from "node:crypto";
import type { MethodDefinition } from "@grpc/grpc-js";
import { HostError } from "../base/errors.ts";
import { isJson, parseMediaType } from "../base/media-type.ts";
import type { Call } from "../call/call.ts";
import type { Callee, GrpcCallee, GrpcService } from "../call/callee.ts";
import type { HttpMethod, Runtime } from "../call/runtime.ts";
import { problemOf } from "../http/client.ts";
import type { Callees, JsonAnswer } from "./handler-options.ts";

/** Clients of the declared callees for one call. Failures are led by the path of hops. */
export function bindCallees(
  name: string,
  callees: readonly Callee[],
  runtime: Runtime,
  call: Call,
): Callees<readonly Callee[]> {
  const via = (thrown: unknown): never => {
    throw HostError.from(thrown).via(name);
  };
  const clients = callees.map((callee) => {
    // Asked for twice, they are two.
    const greetings = () =>
      runtime.greetingsOf(callee, call.with({ key: randomUUID() })).catch(via);
    const request = (route: string, body?: unknown) =>
      send(runtime, callee.name, { route, body }, call).catch(via);
    const methods = Object.entries(serviceOf(callee)).map(([key, method]) => [
      key,
      (message: unknown) => runtime.invoke(callee.name, method, message, call).catch(via),
    ]);
    return [callee.name, { greetings, request, ...Object.fromEntries(methods) }];
  });
  return Object.fromEntries(clients);
}

// biome-ignore lint/suspicious/noExplicitAny: each method has message types of its own
function serviceOf(callee: Callee): Readonly<Record<string, MethodDefinition<any, any>>> {
  return ((callee as GrpcCallee).service as GrpcService | undefined) ?? {};
}

async function send(
  runtime: Runtime,
  callee: string,
  { route, body }: { route: string; body: unknown },
  call: Call,
): Promise<JsonAnswer> {
  const [method = "", path = ""] = route.split(/ (.*)/s, 2);
  const answer = await runtime.send(
    callee,
    {
      method: method as HttpMethod,
      path,
      ...(body !== undefined && {
        body: Buffer.from(JSON.stringify(body)),
        headers: { "content-type": "application/json" },
      }),
    },
    call,
  );
  if (answer.status >= 400) throw problemOf(callee, answer);
  return { ...answer, json: jsonOf(callee, answer) };
}

function jsonOf(callee: string, { headers, body }: Omit<JsonAnswer, "json">): unknown {
  if (body.length === 0 || !isJson(parseMediaType(headers["content-type"]).essence))
    return undefined;
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    throw new HostError("ERR_ANSWER", `${callee}: answered with broken JSON`, { cause });
  }
}
