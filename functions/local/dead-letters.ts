/** `npm run dead-letters -- list`: what could not be delivered. */
import { reasonOf } from "#host/base/errors";
import { openDeadLetters } from "./dead-letters/dead-letters.ts";
import { parseOptions, usage } from "./dead-letters/options.ts";
import { runCommand } from "./dead-letters/run.ts";
import { DeclarationError } from "./declarations/check.ts";
import { queuesOf } from "./declarations/rules.ts";
import { loadFunctions, localDir } from "./discover.ts";
import { UsageError } from "./options.ts";
import { readRun } from "./run-record.ts";
import { variable } from "./services/service.ts";

process.exitCode = await main(process.argv.slice(2));

/** 0 when it was done, 1 when not, 2 when the line cannot be understood. */
async function main(args: string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (!options) {
      process.stdout.write(`${usage}\n`);
      return 0;
    }
    const { queue } = options;
    const queues = queue === undefined ? await queuesOfGraph() : [queue];
    const letters = await openDeadLetters(brokerUrl());
    try {
      const terminal = { input: process.stdin, output: process.stdout };
      return await runCommand(letters, queues, options, terminal);
    } finally {
      await letters.close();
    }
  } catch (error) {
    const wrong = [UsageError, DeclarationError].some((kind) => error instanceof kind);
    process.stderr.write(`${error instanceof Error ? error.message : reasonOf(error)}\n`);
    return wrong ? 2 : 1;
  }
}

async function queuesOfGraph(): Promise<string[]> {
  return queuesOf((await loadFunctions()).flatMap(({ definition }) => definition ?? []));
}

function brokerUrl(): string {
  const url = variable(process.env, "RABBITMQ_URL") ?? readRun(localDir)?.rabbitmq;
  if (url) return url;
  throw new Error("Nothing is running yet: start it with npm start, or set RABBITMQ_URL.");
}
