/** `npm run new -- NAME`: writes a function and its first test, and generates what follows from it. */
import { spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DeclarationError } from "./declarations/check.ts";
import { functionsDir, loadFunctions } from "./discover.ts";
import { seedGraphFiles } from "./generate/graph-files.ts";
import { askOptions } from "./new/ask.ts";
import { isBare, parseNewOptions, usage } from "./new/options.ts";
import { planFunction } from "./new/plan.ts";
import { toTry } from "./new/to-try.ts";
import { writeFunction } from "./new/write.ts";
import { UsageError } from "./options.ts";
import { root, toolEnv } from "./tool-env.ts";

process.exitCode = await main(process.argv.slice(2));

/** 0 when all is written; 2 when the options or a declaration are wrong, 1 for all else: then nothing is. */
async function main(args: string[]): Promise<number> {
  try {
    let options = parseNewOptions(args, process.env);
    if (options.help) {
      process.stdout.write(`${usage}\n`);
      return 0;
    }
    await seedGraphFiles();
    const functions = await loadFunctions();
    const { stdin: input, stdout: output } = process;
    if (isBare(options) && input.isTTY && output.isTTY) {
      options = await askOptions(options, functions, { input, output });
    }
    const plan = await planFunction(options, functions);
    const { name } = plan;
    await writeFunction(plan);
    const code = generate();
    if (code !== 0) {
      await rm(join(functionsDir, name), { recursive: true });
      generate();
      const message = `npm run generate failed, and functions/${name} was removed again.`;
      throw code === 2 ? new UsageError(message) : new Error(message);
    }
    process.stdout.write(`written: functions/${name}/index.ts and index.test.ts\n`);
    process.stdout.write(toTry(plan));
    return 0;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return error instanceof UsageError || error instanceof DeclarationError ? 2 : 1;
  }
}

/** In a process of its own, which loads the new function too. */
function generate(): number {
  const script = join(functionsDir, "local/generate/generate.ts");
  const { status } = spawnSync(process.execPath, [script], {
    cwd: root,
    env: toolEnv,
    stdio: "inherit",
  });
  return status ?? 1;
}
