import { keysOf } from "./names.ts";
import type { Plan, PlannedRoute } from "./plan.ts";
import {
  answersOf,
  askAll,
  destructured,
  eventType,
  publishAll,
  type Step,
  saveAll,
  step,
} from "./steps.ts";

export function hasBody({ method }: PlannedRoute): boolean {
  return ["POST", "PUT", "PATCH"].includes(method);
}

/** Routes without a body publish only where nothing else of the function does. */
export function publishesAt(plan: Plan, route: PlannedRoute): boolean {
  const { routes, publishes, from } = plan;
  if (publishes.length === 0) return false;
  if (hasBody(route)) return true;
  return !routes.some(hasBody) && (from === undefined || publishes.includes(from));
}

/** The status with which the written route answers. */
export function statusOf(plan: Plan, { method }: PlannedRoute): number {
  if (method === "POST") return plan.saves.length + plan.publishes.length > 0 ? 201 : 200;
  return method === "DELETE" && answersOf(plan.calls).length === 0 ? 204 : 200;
}

export function routeText(plan: Plan, route: PlannedRoute): string {
  const steps = hasBody(route) ? bodySteps(plan, route) : plainSteps(plan, route);
  const given = destructured(["parameters", "body", "callees", "effects"], steps);
  return `${JSON.stringify(route.key)}: {
${hasBody(route) ? "body: schema,\n" : ""}async handle(${given}) {
${steps.map(({ text }) => text).join("\n")}
},
},`;
}

function bodySteps(plan: Plan, route: PlannedRoute): Step[] {
  const { method, parameters } = route;
  const steps = askAll(plan.calls, "body");
  const answers = answersOf(plan.calls);
  if (plan.saves.length + plan.publishes.length === 0) {
    return [...steps, step(`return { body: ${object(["...body", ...answers])} };`, "body")];
  }
  // PUT and PATCH name what they are about; POST makes something new.
  const key = method === "POST" ? undefined : parameters.at(-1);
  if (key === undefined) steps.push(step("const id = randomUUID();"));
  else if (key === "id") steps.push(step("const { id } = parameters;", "parameters"));
  else steps.push(step(`const id = parameters.${key};`, "parameters"));
  const isInside = method === "POST" && parameters.length > 0;
  const entry = isInside ? "{ ...parameters, ...body, id }" : "{ id, ...body }";
  steps.push(step(`const entry = ${entry};`, "body", ...(isInside ? ["parameters" as const] : [])));
  const type = eventType(plan, method === "POST" ? "created" : "updated");
  steps.push(...saveAll(plan, "entry"), ...publishAll(plan, { type, id: true, data: "entry" }));
  const status = statusOf(plan, route);
  const content = answers.length > 0 ? object(["...entry", ...answers]) : "entry";
  return [
    ...steps,
    step(`return { ${status === 200 ? "" : `status: ${status}, `}body: ${content} };`),
  ];
}

function plainSteps(plan: Plan, route: PlannedRoute): Step[] {
  const { method, parameters } = route;
  const key = parameters.at(-1);
  const [store] = keysOf(plan.saves, "store");
  const steps = askAll(plan.calls);
  const content = answersOf(plan.calls);
  if (method === "GET" && store && key) {
    steps.push(
      step(
        `const entry = await effects.${store}.find(parameters.${key});`,
        "effects",
        "parameters",
      ),
      step(
        `if (!entry) throw new HostError("ERR_NOT_FOUND", \`there is no \${parameters.${key}}\`);`,
      ),
    );
    content.unshift("...entry");
  } else if (method === "GET" && store) {
    steps.push(step(`const entries = await effects.${store}.latest(20);`, "effects"));
    content.unshift("entries");
  }
  if (publishesAt(plan, route)) {
    const type = eventType(plan, method === "GET" ? "read" : "deleted");
    const data = key ? "parameters" : "{}";
    steps.push(...publishAll(plan, { type, data }, { uses: key ? ["parameters"] : [] }));
  }
  if (statusOf(plan, route) === 204) return [...steps, step("return undefined;")];
  if (content.length === 0) content.push(`message: ${JSON.stringify(`hello from ${plan.name}`)}`);
  const answer = content.join() === "...entry" ? "entry" : object(content);
  return [...steps, step(`return { body: ${answer} };`)];
}

function object(properties: readonly string[]): string {
  return `{ ${properties.join(", ")} }`;
}
