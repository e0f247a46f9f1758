/** Foreign clients of HTTP/2 and gRPC, which Go installs into the clone. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { localDir } from "../discover.ts";
import { goInstall } from "../go-install.ts";
import { which } from "../services/process.ts";

/** Each in a folder of its version, so that a new one is installed beside the old. */
const modules = {
  h2spec: "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible",
  grpcurl: "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4",
  ghz: "github.com/bojand/ghz/cmd/ghz@v0.93.0",
  "grpc-health-probe": "github.com/grpc-ecosystem/grpc-health-probe@v0.4.62",
} as const;

export type GoTool = keyof typeof modules;

/** Undefined where there is Go; else what to say. */
export function withoutGo(): string | undefined {
  return which("go", process.env)
    ? undefined
    : "Go is not on PATH, and it installs the foreign clients";
}

/** The tool's path; installs it where it is not there yet, and throws what Go says when that fails. */
export function goTool(name: GoTool): string {
  const module = modules[name];
  const folder = join(localDir, "cache/tools", module.split("@").at(-1) ?? "");
  const file = join(folder, name);
  if (existsSync(file)) return file;
  goInstall(module, folder);
  return file;
}
