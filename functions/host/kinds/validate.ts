import type { IncomingHttpHeaders } from "node:http";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { HostError } from "../base/errors.ts";
import type { Body } from "../events/event.ts";
import type { JsonSchema, Schema } from "./handler-options.ts";

/** The body as its schema returns it; throws ERR_BAD_REQUEST that names each field which fails. */
export type Validator = (body: Body, headers: IncomingHttpHeaders) => Promise<unknown>;

/** Throws ERR_CONFIG, which names `route`, for a JSON Schema that is none. */
export async function createValidator(schema: Schema, route: string): Promise<Validator> {
  const check = isStandard(schema) ? checkStandard(schema) : await checkJson(schema, route);
  return async ({ bytes, json }, headers) => {
    if (json === undefined && bytes.length > 0) throw notJson(headers["content-type"]);
    const { value, problems } = await check(json);
    if (problems.length === 0) return value;
    throw new HostError("ERR_BAD_REQUEST", `the body is not as declared: ${problems.join("; ")}`);
  };
}

/** `value` is what the schema makes of it, where it passes. */
type Check = (given: unknown) => Promise<{ value?: unknown; problems: readonly string[] }>;

export function isStandard(schema: Schema): schema is StandardSchemaV1 {
  return "~standard" in schema;
}

function checkStandard(schema: StandardSchemaV1): Check {
  return async (given) => {
    const result = await schema["~standard"].validate(given);
    if (!result.issues) return { value: result.value, problems: [] };
    const problems = result.issues.map(({ message, path = [] }) => {
      const keys = path.map((part) => String(typeof part === "object" ? part.key : part));
      return `/${keys.join("/")} ${message}`;
    });
    return { problems };
  };
}

async function checkJson(schema: JsonSchema, route: string): Promise<Check> {
  const { compileSchema } = await import("./json-schema.ts");
  const problemsIn = compileSchema(schema, route);
  return async (value) => ({ value, problems: problemsIn(value) });
}

function notJson(type = "none"): HostError {
  const detail = `a JSON body is expected, with content-type: application/json (this is ${type})`;
  return new HostError("ERR_MEDIA_TYPE", detail);
}
