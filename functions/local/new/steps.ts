/** The statements that a new function's code is made of. */
import { keysOf, member, variableOf } from "./names.ts";
import type { Plan } from "./plan.ts";
import { type PlannedCall, sample } from "./planned-call.ts";

/** What the host gives to a route's or an event's handler. */
export type Part = "parameters" | "body" | "callees" | "effects" | "log" | "id" | "type" | "data";

export interface Step {
  readonly text: string;
  /** What it needs of the handler's arguments. */
  readonly uses: readonly Part[];
}

export function step(text: string, ...uses: Part[]): Step {
  return { text, uses };
}

/** `{ id, data }`: those that the steps use, or nothing. */
export function destructured(parts: readonly Part[], steps: readonly Step[]): string {
  const used = parts.filter((part) => steps.some(({ uses }) => uses.includes(part)));
  return used.length > 0 ? `{ ${used.join(", ")} }` : "";
}

/** Asks the callees, all at the same time. `input` is what there is to pass on. */
export function askAll(calls: readonly PlannedCall[], input?: "body" | "data"): Step[] {
  const hints = calls.flatMap(({ callee, use }) =>
    use.kind === "declared"
      ? [step(`// callees${member(callee.name)} can be asked by ${use.ways.join(", ")}.`)]
      : [],
  );
  const asked = calls.filter(isAsked);
  const names = asked.map(variableOf);
  const texts = asked.map((call) => ask(call, input));
  const uses: Part[] = ["callees"];
  if (input && asked.some(({ use }) => use.kind === "request" && use.body)) uses.push(input);
  if (asked.length === 0) return hints;
  if (asked.length === 1) return [...hints, step(`const ${names} = await ${texts};`, ...uses)];
  const all = `const [${names.join(", ")}] = await Promise.all([${texts.join(", ")}]);`;
  return [...hints, step(all, ...uses)];
}

function isAsked({ use }: PlannedCall): boolean {
  return use.kind !== "declared";
}

function ask({ callee, use }: PlannedCall, input = JSON.stringify(sample)): string {
  const client = `callees${member(callee.name)}`;
  if (use.kind !== "request") return `${client}.greetings()`;
  return `${client}.request(${JSON.stringify(use.route)}${use.body ? `, ${input}` : ""})`;
}

/** The callees' answers as properties of ours. */
export function answersOf(calls: readonly PlannedCall[]): string[] {
  return calls.filter(isAsked).map((call) => {
    const name = variableOf(call);
    return call.use.kind === "greetings" ? name : `${name}: ${name}.json`;
  });
}

export function saveAll({ saves }: Plan, entry: string, ...uses: Part[]): Step[] {
  return keysOf(saves, "store").map((key) =>
    step(`await effects.${key}.save(${entry});`, "effects", ...uses),
  );
}

/** Publishes to every queue but the one that the event came from. */
export function publishAll(
  { publishes }: Plan,
  event: { type: string; id?: boolean; data: string },
  { uses = [], except }: { uses?: readonly Part[]; except?: string | undefined } = {},
): Step[] {
  const id = event.id ? "id, " : "";
  const text = `{ type: ${JSON.stringify(event.type)}, ${id}data${event.data === "data" ? "" : `: ${event.data}`} }`;
  return keysOf(publishes, "queue").flatMap((key, i) =>
    publishes[i] === except
      ? []
      : [step(`await effects.${key}.publish(${text});`, "effects", ...uses)],
  );
}

export function eventType({ name }: Plan, what: string): string {
  return `com.example-api.${name}.${what}`;
}
