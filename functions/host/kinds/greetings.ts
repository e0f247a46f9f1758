/** What every function that greets answers: HTTP routes and the gRPC service. */
import { type Greeting, GreetingResponse, GreetingServiceService } from "#proto";
import { HostError } from "../base/errors.ts";
import { type Call, forkCall } from "../call/call.ts";
import type { Callee } from "../call/callee.ts";
import { deriveKey } from "../call/key.ts";
import type { Runtime } from "../call/runtime.ts";
import type { OpenService } from "../grpc/service.ts";
import type { Route } from "../http/route.ts";
import type { RouteDeclaration } from "./definition.ts";

export type Greetings = (call: Call) => Promise<Greeting[]>;

/** A greeting of the function, made now; one that is asked for again, by the same key, has the same id. */
export function createGreeting(name: string, message: string, { key }: Call): Greeting {
  const created = new Date().toISOString();
  return { id: deriveKey(key, "greeting"), service: titleOf(name), message, created };
}

const titles = new Map<string, string>();

/** "Service-A" for service-a. */
function titleOf(name: string): string {
  const title = titles.get(name) ?? name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
  titles.set(name, title);
  return title;
}

export function greetingsToJson(greeting: Greeting[]): object {
  return GreetingResponse.toJSON({ greeting }) as object;
}

/** The paths at which every function that greets answers. */
export const greetingPaths: readonly RouteDeclaration[] = [
  { method: "GET", path: "/" },
  {
    method: "GET",
    path: "/api/greeting",
    summary: "The greetings of the function and of those that it calls",
  },
];

export function greetingRoutes(greetings: Greetings): Route[] {
  const handle: Route["handle"] = async ({ call }) => ({
    body: greetingsToJson(await greetings(call)),
  });
  return greetingPaths.map(({ method, path }) => ({ method, path, handle }));
}

export function greetingService(greetings: Greetings): OpenService {
  return {
    definition: GreetingServiceService,
    methods: { greeting: async (_, call) => ({ greeting: await greetings(call) }) },
  };
}

/** The greetings of all callees, asked at the same time, in declared order. One that fails fails all. */
export async function gather(
  name: string,
  callees: readonly Callee[],
  runtime: Runtime,
  call: Call,
): Promise<Greeting[]> {
  if (callees.length === 0) return [];
  const siblings = forkCall(call);
  try {
    const answers = callees.map((callee) => runtime.greetingsOf(callee, siblings.call));
    return (await Promise.all(answers)).flat();
  } catch (thrown) {
    // The answer is lost as a whole, so whatever the others still do would be for nothing.
    siblings.abort();
    throw HostError.from(thrown).via(name);
  }
}
