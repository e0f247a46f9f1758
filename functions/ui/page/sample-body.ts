type Schema = Readonly<Record<string, unknown>>;

/** Deep enough for a body that a person edits, and an end for a schema that contains itself. */
const deepest = 6;

/** A value to begin with for a JSON Schema: what it names itself, else an empty value of each property's type. */
export function sampleOf(schema: unknown, depth = 0): unknown {
  if (typeof schema !== "object" || schema === null || depth > deepest) return null;
  const { const: constant, default: preset, examples, enum: values, ...rest } = schema as Schema;
  const [example] = [...listOf(examples), ...listOf(values)];
  const named = [constant, preset, example].find((value) => value !== undefined);
  if (named !== undefined) return named;
  const [choice] = [rest.oneOf, rest.anyOf, rest.allOf].flatMap(listOf);
  if (choice !== undefined && rest.properties === undefined) return sampleOf(choice, depth + 1);
  const type = listOf(rest.type)[0] ?? rest.type ?? (rest.properties ? "object" : undefined);
  switch (type) {
    case "object": {
      const properties = Object.entries((rest.properties ?? {}) as Schema);
      return Object.fromEntries(
        properties.map(([name, property]) => [name, sampleOf(property, depth + 1)]),
      );
    }
    case "array":
      return Number(rest.minItems ?? 0) > 0 ? [sampleOf(rest.items, depth + 1)] : [];
    case "string":
      return "";
    case "integer":
    case "number":
      return rest.minimum ?? (rest.exclusiveMinimum === undefined ? 0 : aboveIt(rest));
    case "boolean":
      return false;
    default:
      return null;
  }
}

function aboveIt({ exclusiveMinimum }: Schema): number {
  return Math.floor(Number(exclusiveMinimum)) + 1;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
