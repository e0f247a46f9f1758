import { rm } from "node:fs/promises";
import { join } from "node:path";
import { stopLeftovers } from "./services/down.ts";
import { run, which } from "./services/process.ts";
import { tagOf } from "./services/service.ts";

/** What the services keep between runs; what was installed or downloaded lies elsewhere. */
const dataFolders = ["rabbitmq", "mongodb", "secantusdb"];
const volumes = ["greetings-rabbitmq", "greetings-mongodb"];

/** Removes the data of earlier runs. A server of somebody else's is never emptied. */
export async function clearData(options: {
  dataDir: string;
  env: NodeJS.ProcessEnv;
  report(line: string): void;
}): Promise<void> {
  const { dataDir, env } = options;
  await stopLeftovers(options);
  await Promise.all(
    dataFolders.map((folder) => rm(join(dataDir, folder), { recursive: true, force: true })),
  );
  const docker = which("docker", env);
  if (docker === undefined) return;
  const names = volumes.map((volume) => `${volume}-${tagOf(dataDir)}`);
  // Without a daemon there is no volume either, so its failure can be ignored.
  await run(
    { file: docker, args: ["volume", "rm", "--force", ...names], env },
    { timeoutMs: 10_000 },
  );
}
