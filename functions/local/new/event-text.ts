import type { Plan } from "./plan.ts";
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

/** What becomes of an event: it is saved and published on, or at least logged. */
export function eventText(plan: Plan): string {
  const steps = eventSteps(plan);
  const event = destructured(["id", "type", "data"], steps);
  const context = destructured(["callees", "effects", "log"], steps);
  return `on: {
// Every type of event. An event that is delivered again has the same id.
"*": async (${event}, ${context}) => {
${steps.map(({ text }) => text).join("\n")}
},
},`;
}

function eventSteps(plan: Plan): Step[] {
  const { name, from } = plan;
  // Where there are routes, it is they that call.
  const calls = plan.routes.length > 0 ? [] : plan.calls;
  const answers = answersOf(calls);
  const done = [
    ...saveAll(plan, `{ ${["...data", ...answers, "id"].join(", ")} }`, "id", "data"),
    ...publishAll(
      plan,
      {
        type: eventType(plan, "handled"),
        id: true,
        data: answers.length > 0 ? `{ ${["...data", ...answers].join(", ")} }` : "data",
      },
      { uses: ["id", "data"], except: from },
    ),
  ];
  if (done.length > 0) return [...askAll(calls, "data"), ...done];
  const fields = ["id", "type", ...answers].join(", ");
  const log = step(
    `log.info({ ${fields} }, ${JSON.stringify(`${name} has handled an event`)});`,
    "id",
    "type",
    "log",
  );
  return [...askAll(calls, "data"), log];
}
