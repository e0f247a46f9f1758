import { delimiter, join } from "node:path";
import { functionsDir } from "./discover.ts";

export const root = join(functionsDir, "..");

/** Has this clone's tools (biome, tsc, buf and its plugins) on PATH, as npm's own scripts have. */
export const toolEnv: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter),
};
