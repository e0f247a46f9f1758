import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { grpc } from "#host";
import type { Callee, GrpcService } from "#host/call/callee";
import type { Definition } from "#host/kinds/definition";
import { compileSchema } from "#host/kinds/json-schema";
import { type Deployable, functionsDir } from "../discover.ts";

/** A callee, with the way to ask it that needs no knowledge of what it does. */
export interface PlannedCall {
  readonly callee: Callee;
  /** "body": the request's own body is passed on. */
  readonly use:
    | { readonly kind: "greetings" }
    | { readonly kind: "request"; readonly route: string; readonly body: boolean }
    /** Only its author knows what to send: the call is declared, and the ways are named. */
    | { readonly kind: "declared"; readonly ways: readonly string[] };
  /** Of a gRPC service of its own. */
  readonly service?: { readonly name: string; readonly module: string };
}

/** What the written functions take, and their tests send. */
export const sample = { text: "hello" };

export async function planCall(
  callee: Callee,
  functions: readonly Deployable[],
): Promise<PlannedCall> {
  const found = functions.find(({ name }) => name === callee.name);
  // One that is not there is a problem, which the rules find.
  if (!found?.definition) return { callee, use: { kind: "request", route: "GET /", body: false } };
  const { definition } = found;
  if (definition.routes.some(({ path }) => path === "/api/greeting")) {
    return { callee, use: { kind: "greetings" } };
  }
  if (callee.protocol === "http") return { callee, use: requestOf(definition) };
  const [service] = definition.services;
  if (!service) return { callee, use: { kind: "greetings" } };
  const named = await exportOf(service);
  const ways = Object.keys(service).map((method) => `${method}(…)`);
  return {
    callee: named ? grpc(callee.name, service) : callee,
    use: { kind: "declared", ways },
    ...(named && { service: named }),
  };
}

function requestOf({ routes }: Definition): PlannedCall["use"] {
  const plain = routes.filter(({ path }) => !path.includes("{") && path !== "/");
  const read = plain.find(({ method }) => method === "GET");
  if (read) return { kind: "request", route: `GET ${read.path}`, body: false };
  const takes = plain.find(({ method, body }) => method === "POST" && body && acceptsSample(body));
  if (takes) return { kind: "request", route: `POST ${takes.path}`, body: true };
  const ways = routes.map(({ method, path }) => `request("${method} ${path}", …)`);
  return { kind: "declared", ways };
}

function acceptsSample(schema: object): boolean {
  return !("~standard" in schema) && compileSchema(schema, "")(sample).length === 0;
}

/** The name under which a service is exported from proto/gen, and the module. */
async function exportOf(service: GrpcService): Promise<PlannedCall["service"]> {
  const folder = join(functionsDir, "../proto/gen");
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".ts"))) {
    const module: object = await import(pathToFileURL(join(folder, file)).href);
    const name = Object.entries(module).find(([, value]) => value === service)?.[0];
    if (name)
      return {
        name,
        module: file === "greeting.ts" ? "#proto" : `#proto/${basename(file, ".ts")}`,
      };
  }
  return undefined;
}
