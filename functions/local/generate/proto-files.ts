import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { functionsDir } from "../discover.ts";
import { toolEnv as env } from "../tool-env.ts";

const run = promisify(execFile);
const proto = join(functionsDir, "../proto");

/** Of the local run alone: no function serves it. */
const notServed = ["--exclude-path", "otlp.proto"];

/** proto/gen: TypeScript of every .proto file, and their descriptors for gRPC reflection. By path. */
export async function protoFiles(): Promise<Map<string, string>> {
  const out = await mkdtemp(join(tmpdir(), "generate-"));
  try {
    await run("buf", ["generate", "--output", out], { cwd: proto, env });
    const descriptors = join(out, "gen/descriptors.json");
    await run("buf", ["build", "--as-file-descriptor-set", ...notServed, "-o", descriptors], {
      cwd: proto,
      env,
    });
    const files = new Map<string, string>();
    for (const name of await filesIn(join(out, "gen"))) {
      files.set(join(proto, "gen", name), await readFile(join(out, "gen", name), "utf8"));
    }
    return files;
  } finally {
    await rm(out, { recursive: true });
  }
}

/** What is in proto/gen and comes of no .proto file any more. */
export async function leftProtoFiles(files: ReadonlyMap<string, string>): Promise<string[]> {
  const there = await filesIn(join(proto, "gen"));
  return there.map((name) => join(proto, "gen", name)).filter((path) => !files.has(path));
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
}
