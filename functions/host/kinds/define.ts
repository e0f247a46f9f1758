import type { IncomingMessage, ServerResponse } from "node:http";
import { http as registerWithFramework } from "@google-cloud/functions-framework";
import { HostError } from "../base/errors.ts";
import { sendProblem } from "../http/answer.ts";
import type { Road } from "../http/road.ts";
import type { Definition } from "./definition.ts";

/** A folder's, a Knative Service's and a DNS label's name (RFC 1123), with a letter first. */
export const namePattern = /^[a-z]([a-z\d-]{0,61}[a-z\d])?$/;

/** What every definition says; the rest is nothing unless it says otherwise. */
type Declared = Pick<Definition, "kind" | "name" | "open"> & Partial<Definition>;

const nothing = { calls: [], effects: [], routes: [], services: [], deploy: {}, problems: [] };

type Handler = (
  request: IncomingMessage & { readonly rawBody?: Buffer },
  response: ServerResponse,
) => unknown;

const roads = new WeakMap<IncomingMessage, Road>();
const handlers = new WeakMap<Definition, Handler>();

/** Says which host's road a request takes that is handed to the registered handler. */
export function setRoad(request: IncomingMessage, road: Road): void {
  roads.set(request, road);
}

/**
 * Registers the definition's handler with functions-framework, under its name. The handler answers everything
 * by itself and never throws into the framework. Without a host around it, under the framework's own
 * command line, it opens the function with its first request, from the same environment variables: over
 * HTTP only, without the host's gRPC, health, metrics and draining.
 */
export function define(declared: Declared): Definition {
  const definition: Definition = { ...nothing, ...declared };
  const { name } = definition;
  // Others are among the definition's problems.
  if (!namePattern.test(name)) return definition;
  let standalone: Promise<Road> | undefined;
  const open = async () => {
    const { openFunction } = await import("./open.ts");
    return (await openFunction(definition, {})).road;
  };
  const handler: Handler = async (request, response) => {
    const road = roads.get(request);
    if (road) return road(request, response);
    standalone ??= open();
    try {
      return (await standalone)(request, response, request.rawBody ?? Buffer.alloc(0));
    } catch (thrown) {
      // The next request tries again: the environment cannot change, but a failed import may succeed.
      standalone = undefined;
      sendProblem(response, HostError.from(thrown));
    }
  };
  registerWithFramework(name, handler);
  handlers.set(definition, handler);
  return definition;
}

/**
 * The handler that functions-framework's registry holds for the definition. Not by the framework's own getFunction:
 * to load that is to load its server, with Express and node:domain, which slows every event of the process down.
 */
export function registeredHandler(definition: Definition): Handler {
  const handler = handlers.get(definition);
  if (handler) return handler;
  throw new HostError("ERR_CONFIG", `${definition.name} is not registered`);
}
