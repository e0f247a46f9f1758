/** The text of a new function's index.ts, before it is formatted. */
import { eventText } from "./event-text.ts";
import { keysOf } from "./names.ts";
import type { Plan } from "./plan.ts";
import { hasBody, publishesAt, routeText } from "./route-text.ts";

export function functionText(plan: Plan): string {
  const { name, routes, calls, saves, publishes, from } = plan;
  const takesBody = routes.some(hasBody);
  const handlers = [
    ...(routes.length > 0
      ? [`routes: {${routes.map((one) => routeText(plan, one)).join("\n")}},`]
      : []),
    ...(from === undefined ? [] : [eventText(plan)]),
  ].join("\n");
  const published = routes.some((one) => !hasBody(one) && publishesAt(plan, one));
  const callees = calls.map(({ callee, service }) => {
    const given = [quote(callee.name), ...(service ? [service.name] : [])];
    return `${callee.protocol}(${given.join(", ")})`;
  });
  const effects = [
    ...effectTexts("saveTo", saves, keysOf(saves, "store"), takesBody),
    ...effectTexts("publishTo", publishes, keysOf(publishes, "queue"), takesBody && !published),
  ];
  const lines = [
    ...importsOf(plan, handlers),
    "",
    ...(takesBody ? [bodyText] : []),
    "export default handler({",
    `name: ${quote(name)},`,
    ...(calls.length > 0 ? [`calls: [${callees.join(", ")}],`] : []),
    ...(effects.length > 0 ? [`effects: { ${effects.join(", ")} },`] : []),
    ...(from === undefined ? [] : [`from: ${quote(from)},`]),
    handlers,
    ...(plan.public ? ["deploy: { public: true },"] : []),
    "});",
    "",
  ];
  return lines.join("\n");
}

const bodyText = `/** What a request brings; any other body is answered with 400. */
type Entry = { text: string };
const schema: JsonSchema<Entry> = {
  type: "object",
  properties: { text: { type: "string", minLength: 1 } },
  required: ["text"],
};
`;

function effectTexts(
  kind: "saveTo" | "publishTo",
  destinations: readonly string[],
  keys: readonly string[],
  typed: boolean,
): string[] {
  return destinations.map(
    (one, i) => `${keys[i]}: ${kind}${typed ? "<Entry>" : ""}(${quote(one)})`,
  );
}

function importsOf({ calls, saves, publishes, routes }: Plan, handlers: string): string[] {
  const names = [
    "handler",
    ...new Set(calls.map(({ callee }) => callee.protocol)),
    ...(routes.some(hasBody) ? ["type JsonSchema"] : []),
    ...(saves.length > 0 ? ["saveTo"] : []),
    ...(publishes.length > 0 ? ["publishTo"] : []),
    ...(handlers.includes("new HostError(") ? ["HostError"] : []),
  ];
  const services = new Map(
    calls.flatMap(({ service }) => (service ? [[service.name, service.module]] : [])),
  );
  return [
    ...(handlers.includes("randomUUID()") ? [`import { randomUUID } from "node:crypto";`] : []),
    `import { ${names.join(", ")} } from "#host";`,
    ...[...services].map(([name, module]) => `import { ${name} } from "${module}";`),
  ];
}

function quote(text: string): string {
  return JSON.stringify(text);
}
