import { globSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { aptInstall, whyNoApt } from "./apt.ts";
import { type Command, run, which } from "./process.ts";
import { readJson, writeJson } from "./record.ts";
import { ServiceError, type ServiceOptions } from "./service.ts";

/**
 * A MongoDB-compatible server on MongoDB's own storage engine, for machines without a mongod. This is the last
 * version with the server in Rust: the one in Python loses acknowledged documents when it is killed.
 */
export const secantusDbVersion = "0.6.0b17";

/** Installs it into a virtual environment of its own, once; returns the server's binary, which needs no Python. */
export async function installSecantusDb(options: ServiceOptions): Promise<string> {
  const cache = options.cacheDir ?? join(options.dataDir, "cache");
  const pointer = join(cache, `secantusdb-${secantusDbVersion}.json`);
  const known = readJson<{ folder: string }>(pointer)?.folder;
  const installed = known && serverIn(join(cache, known));
  if (installed) return installed;
  const python = which("python3", options.env);
  if (python === undefined) throw new ServiceError("python3 is not on PATH");
  options.report(`MongoDB: installing SecantusDB ${secantusDbVersion} from PyPI, once`);
  // A folder of its own for each try: two may install at the same time, and a half-made one is
  // never taken for a whole one, because only the pointer says which is to be used.
  const folder = `secantusdb-${secantusDbVersion}-${process.pid}-${Date.now().toString(36)}`;
  try {
    await createEnvironment(options, python, join(cache, folder));
    const requirement = `secantusdb==${secantusDbVersion}`;
    // Its dependencies are those of its tools in Python.
    const flags = ["--quiet", "--no-input", "--no-deps", "--only-binary=:all:"];
    const pip = ["-m", "pip", "install", ...flags, requirement];
    await must(options, join(cache, folder, "bin", "python"), pip, 300_000);
    const server = serverIn(join(cache, folder));
    if (!server)
      throw new ServiceError(`secantusdb ${secantusDbVersion} has no server for this system`);
    writeJson(pointer, { folder });
    return server;
  } catch (error) {
    await rm(join(cache, folder), { recursive: true, force: true });
    throw error;
  }
}

export async function secantusDbCommand(
  options: ServiceOptions,
  file: string,
  port: number,
): Promise<Command> {
  const folder = join(options.dataDir, "secantusdb");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Without a configuration of ours it would look for one in the user's home and in /etc.
  const config = join(folder, "secantusd.toml");
  await writeFile(config, "");
  const args = ["--config", config, "--host", "127.0.0.1", "--port", String(port)];
  args.push("--storage-path", join(folder, "data"), "--standalone");
  // What it acknowledges is on the disk. By default its log takes 2 GB of that at once.
  args.push("--sync-on-commit", "--cache-size", "64M", "--log-file-max", "64MB");
  return { file, args, env: options.env, cwd: folder };
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

/** Where the wheel puts the binary itself; the script of that name in bin/ starts it through Python. */
function serverIn(folder: string): string | undefined {
  const [found] = globSync("lib/python*/site-packages/secantusdb.scripts/secantusd-rs", {
    cwd: folder,
  });
  return found && join(folder, found);
}
