import { randomUUID } from "node:crypto";
import type { Runtime } from "#host/call/runtime";
import type { OpenEffect } from "#host/kinds/definition";
import { testFunction } from "./test-function.ts";
import { startTestHost, type TestHost } from "./test-host.ts";

/** A name that no other test uses, for a queue or a database. */
export function unique(what: string): string {
  return `${what}-${randomUUID()}`;
}

/** A host with one effect and no function around it: its readiness is the effect's. */
export async function startEffectHost<Open extends OpenEffect<never>>(
  effect: { open(runtime: Runtime): Promise<Open> },
  env: Record<string, string>,
): Promise<{ host: TestHost; effect: Open } & AsyncDisposable> {
  const opened = Promise.withResolvers<Open>();
  const definition = testFunction(async (runtime) => {
    const open = await effect.open(runtime);
    opened.resolve(open);
    return { resources: [open] };
  });
  const host = await startTestHost(definition, { env });
  const dispose = () => host[Symbol.asyncDispose]();
  return { host, effect: await opened.promise, [Symbol.asyncDispose]: dispose };
}
