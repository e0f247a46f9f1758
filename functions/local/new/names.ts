/** Names in the written code. */
import type { PlannedCall } from "./planned-call.ts";

/** "service-g" as serviceG. */
export function camel(text: string): string {
  return text
    .replaceAll(/[^a-zA-Z\d]+(.)?/g, (_, next: string | undefined) => (next ?? "").toUpperCase())
    .replace(/^[^a-zA-Z]+/, "")
    .replace(/^./, (first) => first.toLowerCase());
}

/** Each destination's key among the effects: `store` for the only one, else by its own name. */
export function keysOf(destinations: readonly string[], word: "store" | "queue"): string[] {
  if (destinations.length === 1) return [word];
  const suffix = word === "store" ? "Store" : "Queue";
  const keys = destinations.map((one) => camel(one.split(".").at(-1) ?? ""));
  return keys.map((key, i) =>
    key && keys.indexOf(key) === keys.lastIndexOf(key) ? key + suffix : `${word}${i + 1}`,
  );
}

/** What the written code calls other things, and words that no variable can be called. */
const taken = new Set(
  (
    "arguments await break case catch class const continue debugger default delete do else enum eval export " +
    "extends false finally for function if implements import in instanceof interface let new null package private " +
    "protected public return static super switch this throw true try typeof var void while with yield undefined " +
    "body callees data effects entry entries handler id log parameters schema type grpc http"
  ).split(" "),
);

/** The variable that holds a callee's answer. */
export function variableOf({ callee }: PlannedCall): string {
  const name = camel(callee.name);
  return taken.has(name) ? `${name}Answer` : name;
}

/** As a property is read: `.orders`, `["service-g"]`. */
export function member(name: string): string {
  return /^[a-zA-Z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
