/** Runs in a clone: writes a function for each list of arguments that it is given as JSON, as `npm run new` does. */
import { loadFunctions } from "../../local/discover.ts";
import { parseNewOptions } from "../../local/new/options.ts";
import { planFunction } from "../../local/new/plan.ts";
import { writeFunction } from "../../local/new/write.ts";

for (const args of JSON.parse(process.argv[2] ?? "[]") as string[][]) {
  const plan = await planFunction(parseNewOptions(args, {}), await loadFunctions());
  await writeFunction(plan);
}
