/** The text of a new function's first test, before it is formatted. */
import type { Plan, PlannedRoute } from "./plan.ts";
import { sample } from "./planned-call.ts";
import { hasBody, publishesAt, statusOf } from "./route-text.ts";
import { eventType } from "./steps.ts";

const body = JSON.stringify(sample);

export function testText(plan: Plan): string {
  const { routes, from } = plan;
  const tests = [
    ...routes.map((route) => routeTest(plan, route)),
    ...routes.filter(hasBody).map(refusalTest),
    ...(from === undefined ? [] : [eventTest(plan)]),
  ].join("\n");
  return `import assert from "node:assert/strict";
${tests.includes("randomUUID()") ? `import { randomUUID } from "node:crypto";\n` : ""}import { test } from "node:test";
import { startFunction } from "../test/support/start-function.ts";
import definition from "./index.ts";

// With its callees, a broker and a database: all real, and ended with this file.
const sut = await startFunction(definition);

${tests}`;
}

function routeTest(plan: Plan, route: PlannedRoute): string {
  const { key, method, path } = route;
  const done = [
    ...(hasBody(route) && plan.saves.length > 0 ? ["saved"] : []),
    ...(publishesAt(plan, route) ? ["published"] : []),
  ];
  const missing = isMissing(plan, route);
  const status = missing ? 404 : statusOf(plan, route);
  const title = missing
    ? `${key} answers 404 to what is not there`
    : `${key} is ${listOf(["answered", ...done])}`;
  const sent = `${method} ${path.replaceAll(/\{\w+\}/g, missing ? "missing" : "first")}`;
  const lines = [
    `const answer = await sut.request(${JSON.stringify(sent)}${hasBody(route) ? `, ${body}` : ""});`,
    `assert.equal(answer.status, ${status}, answer.text);`,
  ];
  if (hasBody(route)) {
    if (done.length === 0) lines.push(`assert.partialDeepStrictEqual(answer.json(), ${body});`);
    else {
      const entry = body.replace("{", "{ id, ");
      lines.push("const { id } = answer.json<{ id: string }>();");
      for (const one of plan.saves)
        lines.push(`await sut.saved(${JSON.stringify(one)}, ${entry});`);
      for (const one of plan.publishes) {
        lines.push(`await sut.published(${JSON.stringify(one)}, { id, data: ${body} });`);
      }
    }
  } else if (publishesAt(plan, route) && !missing) {
    const type = eventType(plan, method === "GET" ? "read" : "deleted");
    for (const one of plan.publishes) {
      lines.push(`await sut.published(${JSON.stringify(one)}, { type: ${JSON.stringify(type)} });`);
    }
  }
  return testOf(title, lines);
}

/** Reads one entry, which no test has saved. */
function isMissing({ saves }: Plan, { method, parameters }: PlannedRoute): boolean {
  return method === "GET" && saves.length > 0 && parameters.length > 0;
}

function refusalTest({ key, method, path }: PlannedRoute): string {
  const sent = `${method} ${path.replaceAll(/\{\w+\}/g, "first")}`;
  return testOf(`${key} answers 400 to a body that is not as declared`, [
    `const answer = await sut.request(${JSON.stringify(sent)}, {});`,
    "assert.equal(answer.status, 400, answer.text);",
  ]);
}

function eventTest({ saves, publishes, from }: Plan): string {
  const onward = publishes.filter((queue) => queue !== from);
  const done = [
    ...(saves.length > 0 ? ["saved"] : []),
    ...(onward.length > 0 ? ["published"] : []),
  ];
  const title = `an event is ${listOf(["taken", ...done])}`;
  return testOf(title, [
    `const event = { id: randomUUID(), type: "test", data: ${body} };`,
    "const answer = await sut.event(event);",
    "assert.equal(answer.status, 204, answer.text);",
    ...saves.map(
      (one) => `await sut.saved(${JSON.stringify(one)}, { id: event.id, ...event.data });`,
    ),
    ...onward.map(
      (one) => `await sut.published(${JSON.stringify(one)}, { id: event.id, data: event.data });`,
    ),
  ]);
}

function testOf(title: string, lines: readonly string[]): string {
  return `test(${JSON.stringify(title)}, async () => {\n${lines.join("\n")}\n});\n`;
}

function listOf(words: readonly string[]): string {
  return words.join(", ").replace(/, (\w+)$/, " and $1");
}
