import { existsSync, readFileSync } from "node:fs";
import {
  type RunningService,
  ServiceError,
  type ServiceName,
  type ServiceOptions,
} from "./service.ts";

/** One way to get a service. Resolves to why it is not open on this machine when it is not. */
export interface Way {
  title: string;
  go(): Promise<RunningService | string>;
}

/** Takes the first way that leads to the service; one that fails is reported, and the next is tried. */
export async function firstOf(
  options: ServiceOptions,
  name: ServiceName,
  ways: Way[],
  advice: string,
): Promise<RunningService> {
  const tried: string[] = [];
  for (const way of ways) {
    options.signal?.throwIfAborted();
    try {
      const answer = await way.go();
      if (typeof answer !== "string") return answer;
      tried.push(`${way.title}: ${answer}`);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      tried.push(`${way.title}: ${reason}`);
      options.report(`${name}: ${way.title} did not work: ${reason.split("\n")[0]}`);
    }
  }
  const list = tried.map((line) => `  - ${line.replaceAll("\n", "\n    ")}`).join("\n");
  throw new ServiceError(`${name} could not be had. Tried:\n${list}\n${advice}`);
}

/** What a person may type, for the system they are on. */
export function adviceFor(commands: {
  debian?: string;
  fedora?: string;
  mac: string;
  docker: string;
  variable: string;
}): string {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const like = (family: RegExp) =>
    [...release.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].some((line) => family.test(line[1] ?? ""));
  let install: string | undefined;
  if (process.platform === "darwin") install = commands.mac;
  else if (like(/debian|ubuntu/)) install = commands.debian;
  else if (like(/fedora|rhel/)) install = commands.fedora;
  const lines = [install, commands.docker].filter((line) => line !== undefined);
  return `Type ${lines.map((line) => `\`${line}\``).join(" or ")}, or set ${commands.variable}.`;
}
