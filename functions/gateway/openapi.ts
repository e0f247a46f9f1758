import { callProtocols } from "#host/base/config";
import { errorTable, problemType } from "#host/base/errors";
import type { RouteDeclaration } from "#host/kinds/definition";
import { defaultMessages, maxMessages } from "#host/kinds/subscriber";
import { offeredPath, type Triggered } from "./triggers.ts";

/** What the gateway answers, as OpenAPI 3.1; a test holds it against the gateway's routes and answers. */
export function openApi(functions: readonly Triggered[]): object {
  const greeting = {
    ...get("The greetings of the whole graph, callees before their callers", "Greetings"),
    parameters: requestHeaders,
  };
  return {
    openapi: "3.1.0",
    info: {
      title: "Greetings",
      version: "1.0.0",
      description: "HTTP triggers for a graph of event-driven functions",
    },
    paths: {
      "/": { get: get("Links to everything here", "Object") },
      "/api/greeting": { get: greeting },
      "/api/v1/greeting": { get: greeting },
      ...triggers(functions),
      "/api/graph": {
        get: get("The functions, queues and collections, and who calls whom", "Graph"),
      },
      "/openapi.json": { get: get("This description", "Object") },
    },
    components: { schemas },
  };
}

/** What every function of a kind answers, with the functions that do; then each handler's own routes. */
function triggers(functions: readonly Triggered[]): Record<string, object> {
  const having = (path: string, method = "GET") =>
    functions
      .filter(({ routes }) => routes.some((one) => one.path === path && one.method === method))
      .map(({ name }) => name);
  const greets = having("/api/greeting");
  const takes = having("/", "POST");
  const stores = having("/api/messages");
  const paths: Record<string, Record<string, unknown>> = {
    "/api/services/{name}/greeting": {
      parameters: [nameOf(greets), ...requestHeaders],
      get: get("The greetings of one function and of those that it calls", "Greetings"),
    },
  };
  if (takes.length > 0) {
    paths["/api/services/{name}/events"] = { parameters: [nameOf(takes)], post: takesEvent };
  }
  if (stores.length > 0) {
    const shows = get("The events that a subscriber has stored, newest first", "Messages");
    paths["/api/services/{name}/messages"] = { parameters: [nameOf(stores), limit], get: shows };
  }
  for (const { name, kind, routes } of functions) {
    if (kind !== "handler") continue;
    for (const route of routes) {
      const offered = offeredPath(route);
      if (offered === "/events") continue;
      const path = `/api/services/${name}${offered}`;
      paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
    }
  }
  return paths;
}

function operationOf({ method, path, summary, body }: RouteDeclaration): object {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: string,
  }));
  return {
    summary: summary ?? `${method} ${path}`,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: jsonOf(body) } }),
    responses: { "2XX": { description: "What the function answers" }, default: problem },
  };
}

function jsonOf(schema: object): object {
  return { "application/json": { schema } };
}

function ref(name: keyof typeof schemas): object {
  return { $ref: `#/components/schemas/${name}` };
}

const problem = {
  description: "A problem (RFC 9457)",
  content: { [problemType]: { schema: { $ref: "#/components/schemas/Problem" } } },
};

function get(summary: string, schema: keyof typeof schemas): object {
  const content = { "application/json": { schema: ref(schema) } };
  return { summary, responses: { 200: { description: summary, content }, default: problem } };
}

const takesEvent = {
  summary: "Hands a CloudEvent to a function, in binary or structured mode",
  requestBody: {
    required: true,
    content: {
      "application/cloudevents+json": { schema: { $ref: "#/components/schemas/CloudEvent" } },
      "*/*": { schema: {} },
    },
  },
  responses: { 204: { description: "Taken" }, default: problem },
};

const limit = {
  name: "limit",
  in: "query",
  schema: { type: "integer", minimum: 1, maximum: maxMessages, default: defaultMessages },
};

function nameOf(names: readonly string[]): object {
  return { name: "name", in: "path", required: true, schema: { type: "string", enum: names } };
}

/** What a request may ask of every function that it passes. */
const requestHeaders = [
  {
    name: "x-fault",
    in: "header",
    description: "Faults, where FAULTS is on: service-g=503@50%, service-c=delay:800ms, seed=42",
    schema: { type: "string" },
  },
  {
    name: "x-call-protocol",
    in: "header",
    description: "The protocol of the calls that this request causes",
    schema: { type: "string", enum: callProtocols },
  },
];

function object(properties: Record<string, object>): object {
  return { type: "object", required: Object.keys(properties), properties };
}

const string = { type: "string" };
const list = (items: object) => ({ type: "array", items });

const schemas = {
  Object: { type: "object" },
  Greeting: object({
    id: { type: "string", format: "uuid" },
    service: string,
    message: string,
    created: { type: "string", format: "date-time" },
  }),
  Greetings: object({ greeting: list({ $ref: "#/components/schemas/Greeting" }) }),
  CloudEvent: object({ specversion: string, id: string, source: string, type: string }),
  Messages: object({ messages: list({ $ref: "#/components/schemas/CloudEvent" }) }),
  Graph: object({
    nodes: list(object({ name: string, kind: string })),
    edges: list(object({ from: string, to: string, protocol: string })),
  }),
  Problem: object({
    title: string,
    status: { type: "integer" },
    detail: string,
    code: { type: "string", enum: Object.keys(errorTable) },
  }),
};
