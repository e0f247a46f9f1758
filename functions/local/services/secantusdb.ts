import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { aptInstall, whyNoApt } from "./apt.ts";
import { type Command, run, which } from "./process.ts";
import { readJson, writeJson } from "./record.ts";
import { ServiceError, type ServiceOptions } from "./service.ts";

/** A MongoDB-compatible server on MongoDB's own storage engine, for machines without a mongod. */
export const secantusDbVersion = "0.7.0b3";

/** Installs it into a virtual environment of its own, once; returns that environment's Python. */
export async function installSecantusDb(options: ServiceOptions): Promise<string> {
  const cache = options.cacheDir ?? join(options.dataDir, "cache");
  const pointer = join(cache, `secantusdb-${secantusDbVersion}.json`);
  const known = readJson<{ folder: string }>(pointer)?.folder;
  if (known !== undefined && existsSync(pythonIn(join(cache, known)))) {
    return pythonIn(join(cache, known));
  }
  const python = which("python3", options.env);
  if (python === undefined) throw new ServiceError("python3 is not on PATH");
  options.report(`MongoDB: installing SecantusDB ${secantusDbVersion} from PyPI, once`);
  // A folder of its own for each try: two may install at the same time, and a half-made one is
  // never taken for a whole one, because only the pointer says which is to be used.
  const folder = `secantusdb-${secantusDbVersion}-${process.pid}-${Date.now().toString(36)}`;
  try {
    await createEnvironment(options, python, join(cache, folder));
    const requirement = `secantusdb==${secantusDbVersion}`;
    const pip = ["-m", "pip", "install", "--quiet", "--no-input", requirement];
    await must(options, pythonIn(join(cache, folder)), pip, 300_000);
  } catch (error) {
    await rm(join(cache, folder), { recursive: true, force: true });
    throw error;
  }
  writeJson(pointer, { folder });
  return pythonIn(join(cache, folder));
}

export async function secantusDbCommand(
  options: ServiceOptions,
  python: string,
  port: number,
): Promise<Command> {
  const folder = join(options.dataDir, "secantusdb");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Without a configuration of ours it would look for one in the user's home and in /etc.
  const config = join(folder, "secantusd.toml");
  await writeFile(config, "");
  // Its script is run by name: the first line of it would miss when the clone has moved.
  const args = [join(python, "../secantusd-py"), "--config", config, "--host", "127.0.0.1"];
  args.push("--port", String(port), "--storage-path", join(folder, "data"));
  return { file: python, args, env: options.env, cwd: folder };
}

async function createEnvironment(options: ServiceOptions, python: string, folder: string) {
  try {
    await must(options, python, ["-m", "venv", folder], 120_000);
  } catch (error) {
    // Debian's python3 comes without the part that makes environments.
    if (options.signal?.aborted || whyNoApt(options.env) !== undefined) throw error;
    options.report("MongoDB: installing python3-venv with apt-get, for SecantusDB");
    await aptInstall("python3-venv", [], options);
    await must(options, python, ["-m", "venv", "--clear", folder], 120_000);
  }
}

async function must(options: ServiceOptions, file: string, args: string[], timeoutMs: number) {
  const done = await run({ file, args, env: options.env }, { timeoutMs, signal: options.signal });
  if (done.ok) return;
  const end = done.output.split("\n").slice(-5).join("\n");
  throw new ServiceError(`python3 ${args.slice(0, 3).join(" ")} failed: ${end}`);
}

function pythonIn(folder: string): string {
  return join(folder, "bin", "python");
}
