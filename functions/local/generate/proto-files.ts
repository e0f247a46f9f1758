import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { functionsDir } from "../discover.ts";
import { toolEnv as env } from "../tool-env.ts";

const run = promisify(execFile);
const proto = join(functionsDir, "../proto");

/** Of the local run alone, which reads it at run time: no function serves it. */
const notServed = ["--exclude-path", "otlp.proto"];

/** proto/gen: TypeScript of every .proto file, and their descriptors for gRPC reflection. By path. */
export async function protoFiles(): Promise<Map<string, string>> {
  const out = await mkdtemp(join(tmpdir(), "generate-"));
  try {
    await run("buf", ["generate", ...notServed, "--output", out], { cwd: proto, env });
    const files = new Map([[join(proto, "gen/descriptors.json"), await descriptorsIn(out)]]);
    for (const name of await filesIn(join(out, "gen"))) {
      files.set(join(proto, "gen", name), await readFile(join(out, "gen", name), "utf8"));
    }
    return files;
  } finally {
    await rm(out, { recursive: true });
  }
}

/**
 * Each .proto file with what it imports, the services that it declares and its FileDescriptorProto as base64: the
 * bytes of buf, since protobufjs writes references to other files in a way that clients refuse.
 */
async function descriptorsIn(out: string): Promise<string> {
  const set = (ending: string) => join(out, `descriptors.${ending}`);
  for (const path of [set("json"), set("binpb")]) {
    const args = ["build", "--as-file-descriptor-set", ...notServed, "-o", path];
    await run("buf", args, { cwd: proto, env });
  }
  const { file: files }: { file: File[] } = JSON.parse(await readFile(set("json"), "utf8"));
  // A FileDescriptorSet is nothing but its files, as field 1.
  const reader = new BinaryReader(await readFile(set("binpb")));
  const descriptors = files.map(({ name, package: scope, dependency, service = [] }) => {
    reader.tag();
    const bytes = Buffer.from(reader.bytes()).toString("base64");
    const services = service.map((one) => [scope, one.name].filter(Boolean).join("."));
    return { name, ...(dependency && { dependency }), services, bytes };
  });
  return `${JSON.stringify(descriptors, null, 2)}\n`;
}

interface File {
  readonly name: string;
  readonly package?: string;
  readonly dependency?: readonly string[];
  readonly service?: readonly { readonly name: string }[];
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
