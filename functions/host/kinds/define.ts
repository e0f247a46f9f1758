import type { ServerResponse } from "node:http";
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

/**
 * Registers a handler with functions-framework, under the definition's name. The handler answers everything
 * by itself and never throws into the framework. It is for the framework's own command line, where it opens the
 * function with its first request, from the same environment variables: over HTTP only, without the host's gRPC,
 * health, metrics and draining. A host takes the same road without it, and without the framework's server: that
 * would put Express, five body parsers and node:domain in between.
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
  registerWithFramework(name, async (request, response: ServerResponse) => {
    standalone ??= open();
    try {
      return (await standalone)(request, response, request.rawBody ?? Buffer.alloc(0));
    } catch (thrown) {
      // The next request tries again: the environment cannot change, but a failed import may succeed.
      standalone = undefined;
      sendProblem(response, HostError.from(thrown));
    }
  });
  return definition;
}
