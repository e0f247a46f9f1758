/** What the plain functions share: a greeting, calls to others, a log line per request. */
import { randomUUID } from "node:crypto";
import pino from "pino";

const log = pino();

export function createGreeting(service, message) {
  return { id: randomUUID(), service, message, created: new Date().toISOString() };
}

/** The greetings of another function, by the address that its variable has. */
export async function greetingsOf(variable) {
  const response = await fetch(`http://${process.env[variable]}/api/greeting`);
  if (!response.ok) throw new Error(`${variable} answers ${response.status}`);
  const { greeting } = await response.json();
  return greeting;
}

/** Answers with what `work` returns, and logs a line for it. */
export function answering(work) {
  return async (request, response) => {
    const since = performance.now();
    try {
      response.json({ greeting: await work() });
    } catch (err) {
      log.error({ err }, "failed");
      response.status(503).json({ error: err.message });
    }
    const { method, url } = request;
    log.info(
      { method, url, status: response.statusCode, ms: performance.now() - since },
      "answered",
    );
  };
}
