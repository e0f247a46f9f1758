import type { Plan } from "./plan.ts";
import { sample } from "./planned-call.ts";
import { hasBody } from "./route-text.ts";

/** What to type next. */
export function toTry(plan: Plan): string {
  return `
Now make it yours, and try:

  npm start
  ${triggerOf(plan)}
  npm test -- functions/${plan.name}/index.test.ts
`;
}

function triggerOf({ name, routes }: Plan): string {
  const [route] = routes;
  const data = JSON.stringify(sample);
  if (route) {
    const body = hasBody(route) ? ` --data '${data}'` : "";
    return `npm run invoke -- ${name} --route '${route.method} ${route.path.replaceAll(/\{(\w+)\}/g, "my-$1")}'${body}`;
  }
  const attributes = { id: "1", source: "/me", specversion: "1.0", type: "test" };
  const headers = Object.entries(attributes).map(
    ([key, value]) => ` --header 'ce-${key}: ${value}'`,
  );
  return `npm run invoke -- ${name} --route 'POST /'${headers.join("")} --data '${data}'`;
}
