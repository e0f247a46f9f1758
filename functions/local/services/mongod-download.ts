import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./process.ts";
import { readJson, writeJson } from "./record.ts";
import { ServiceError, type ServiceOptions } from "./service.ts";

interface Failure {
  at: number;
  reason: string;
}

const failureFile = "failed.json";
const dayMs = 24 * 60 * 60 * 1_000;
const stallMs = 20_000;
const longestMs = 600_000;

/** Why the download is not tried: it failed within the last day. Undefined when it is worth a try. */
export function whyNoDownload(options: ServiceOptions): string | undefined {
  const last = readJson<Failure>(join(folderOf(options), failureFile));
  const recent = last !== undefined && Date.now() - last.at < dayMs;
  return recent ? `it failed within the last day (${last.reason})` : undefined;
}

/** MongoDB's own server from its makers, kept for the next time, and so is the news of a failure. */
export async function downloadMongod(options: ServiceOptions): Promise<string> {
  const folder = folderOf(options);
  await mkdir(folder, { recursive: true });
  options.report("MongoDB: none on this machine; using a downloaded mongod, which is fetched once");
  try {
    return await fetchInto(folder, options);
  } catch (error) {
    // Half an archive, or one that is not what its makers say, would be taken for whole next time.
    await rm(folder, { recursive: true, force: true });
    const reason = error instanceof Error ? error.message : String(error);
    if (!options.signal?.aborted)
      writeJson(join(folder, failureFile), { at: Date.now(), reason } satisfies Failure);
    throw error;
  }
}

function folderOf(options: ServiceOptions): string {
  return join(options.cacheDir ?? join(options.dataDir, "cache"), "mongod");
}

/** In a process of its own: only so can a download that hangs, or is no longer wanted, be ended. */
async function fetchInto(folder: string, options: ServiceOptions): Promise<string> {
  const stalled = new AbortController();
  const watch = watchProgress(folder, () => stalled.abort());
  const signals = [stalled.signal, ...(options.signal === undefined ? [] : [options.signal])];
  const script = `
    const { MongoBinary } = await import(process.env.MODULE);
    const found = MongoBinary.getPath({ downloadDir: process.env.FOLDER });
    const answer = await found.then((file) => ({ file }), (error) => ({ reason: error.message }));
    console.log("\\n" + JSON.stringify(answer));`;
  const env = {
    ...options.env,
    MODULE: import.meta.resolve("mongodb-memory-server-core"),
    FOLDER: folder,
    MONGOMS_MAX_RETRIES: "1",
    npm_config_strict_ssl: "true", // it does not check certificates otherwise
  };
  const args = ["--input-type=module", "--eval", script];
  try {
    const done = await run(
      { file: process.execPath, args, env },
      { timeoutMs: longestMs, signal: AbortSignal.any(signals) },
    );
    // The library may have said something of its own, before or after.
    const line = done.output.split("\n").findLast((text) => /^\{"(file|reason)":/.test(text));
    const answer = JSON.parse(line ?? "{}") as { file?: string; reason?: string };
    if (answer.file === undefined) throw new ServiceError(reasonIn(answer.reason ?? done.output));
    return answer.file;
  } catch (error) {
    if (!stalled.signal.aborted) throw error;
    throw new ServiceError(`nothing arrived for ${stallMs / 1_000} s`);
  } finally {
    clearInterval(watch);
  }
}

/** Without the address it begins with, which says nothing to a person. */
function reasonIn(message: string): string {
  return (
    message
      .replace(/^Download failed.*\n/, "")
      .split("\n")[0]
      ?.trim() ?? ""
  );
}

function watchProgress(folder: string, onStall: () => void): NodeJS.Timeout {
  let size = -1;
  let since = performance.now();
  return setInterval(async () => {
    const now = await sizeOf(folder);
    if (now !== size) since = performance.now();
    size = now;
    if (performance.now() - since > stallMs) onStall();
  }, 500);
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map((name) =>
    stat(join(folder, name)).then(
      (entry) => entry.size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
