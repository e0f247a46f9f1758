/** JSON Schema by ajv, which is loaded only for a function that declares one. */
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { HostError } from "../base/errors.ts";

/** What is wrong with a value, a sentence with its field each. Throws ERR_CONFIG for a schema that is none. */
export function compileSchema(schema: object, route: string): (value: unknown) => string[] {
  const options = { allErrors: true, strict: false };
  const { $schema = "2020-12" } = schema as { $schema?: string };
  const ajv = $schema.includes("2020-12") ? new Ajv2020(options) : new Ajv(options);
  try {
    const validate = ajv.compile(schema);
    return (value) => {
      if (validate(value)) return [];
      return (validate.errors ?? []).map(({ instancePath, message, params }) => {
        const extra = (params as { additionalProperty?: string }).additionalProperty;
        return `${instancePath || "/"} ${message}${extra ? ` (${extra})` : ""}`;
      });
    };
  } catch (cause) {
    const detail = `${route}: the body's JSON Schema is wrong: ${(cause as Error).message}`;
    throw new HostError("ERR_CONFIG", detail, { cause });
  }
}
