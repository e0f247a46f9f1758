import { readFile } from "node:fs/promises";
import { validateHeaderName, validateHeaderValue } from "node:http";
import { matchPath } from "#host/http/route";
import type { RouteDeclaration } from "#host/kinds/definition";
import { loadFunctions } from "../discover.ts";
import { UsageError } from "../options.ts";
import type { HttpRequest } from "./calls.ts";

export interface RequestOptions {
  readonly route?: string | undefined;
  readonly data?: string | undefined;
  readonly event?: string | undefined;
  readonly header: readonly string[];
}

/** The request that the options describe: to a route that the function declares, an event, or the greeting. */
export async function requestOf(name: string, options: RequestOptions): Promise<HttpRequest> {
  const { route, data, event } = options;
  const headers = Object.fromEntries(options.header.map(readHeader));
  if (event !== undefined) {
    if (route ?? data) throw new UsageError("--event goes to POST /, without --route and --data");
    const type = { "content-type": "application/cloudevents+json" };
    const body = await read("--event", event);
    return { method: "POST", path: "/", headers: { ...type, ...headers }, body };
  }
  if (route === undefined) {
    if (data !== undefined) throw new UsageError("--data goes with --route 'POST /api/…'");
    return { method: "GET", path: "/api/greeting", headers };
  }
  const [, method, path] = /^([A-Z]+) (\/\S*)$/.exec(route.trim()) ?? [];
  if (!method || !path) {
    throw new UsageError(
      `--route "${route}": a method and a path are expected: 'POST /api/orders'`,
    );
  }
  await checkRoute(name, method, path);
  if (data === undefined) return { method, path, headers };
  if (method === "GET") throw new UsageError("--data: a GET request has no body");
  const body = data.startsWith("@") ? await read("--data", data.slice(1)) : Buffer.from(data);
  return { method, path, headers: { "content-type": "application/json", ...headers }, body };
}

/** Routes of a handler without a declaration are not known: it takes any. */
async function checkRoute(name: string, method: string, path: string): Promise<void> {
  const functions = await loadFunctions();
  const routes = functions.find((one) => one.name === name)?.definition?.routes;
  if (!routes || routes.some((route) => route.method === method && matches(route, path))) return;
  const list = routes.map((route) => `  ${route.method} ${route.path}`).join("\n");
  throw new UsageError(
    `${name} has no route ${method} ${path}; ${list ? `it has\n${list}` : "it has none"}`,
  );
}

function matches(route: RouteDeclaration, path: string): boolean {
  try {
    return matchPath(route.path, path.split("?")[0] ?? "") !== undefined;
  } catch (error) {
    throw new UsageError(`--route: ${(error as Error).message}`);
  }
}

function readHeader(text: string): [name: string, value: string] {
  const [, name = "", value = ""] = /^([^:]*):\s*(.*)$/.exec(text) ?? [];
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch (error) {
    throw new UsageError(`--header "${text}": 'name: value' is expected`, { cause: error });
  }
  return [name.toLowerCase(), value];
}

async function read(option: string, file: string): Promise<Buffer> {
  return readFile(file).catch((error: Error) => {
    throw new UsageError(`${option} ${file}: ${error.message}`);
  });
}
