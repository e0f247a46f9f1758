import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type Finished, run, which } from "./process.ts";
import { ServiceError } from "./service.ts";

interface Limits {
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
}

const policyFile = "/usr/sbin/policy-rc.d";
const savedPolicy = `${policyFile}.before-greetings`;
const denyAll =
  "#!/bin/sh\n# greetings: no packaged service is started while a package is installed\nexit 101\n";

/** Why apt cannot be used here; undefined when it can. */
export function whyNoApt(env: NodeJS.ProcessEnv): string | undefined {
  if (which("apt-get", env) === undefined) return "apt-get is not on PATH";
  return process.getuid?.() === 0 ? undefined : "only root may install packages";
}

/** Installs a package without starting the service in it, now or at the next boot. */
export async function aptInstall(packageName: string, units: string[], limits: Limits) {
  const env = { ...limits.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  const apt = (timeoutMs: number, ...args: string[]): Promise<Finished> => {
    const waiting = ["-o", "DPkg::Lock::Timeout=120"]; // another installation may be under way
    const file = which("apt-get", env) ?? "apt-get";
    return run({ file, args: [...waiting, ...args], env }, { timeoutMs, signal: limits.signal });
  };
  const before = await enabledUnits(units, env);
  await apt(120_000, "update"); // when it fails the lists that are there may still do
  const restore = denyStarts();
  try {
    const done = await apt(600_000, "install", "--yes", "--no-install-recommends", packageName);
    if (!done.ok) {
      const end = done.output.split("\n").slice(-5).join("\n");
      throw new ServiceError(`apt-get install ${packageName} failed:\n${end}`);
    }
  } finally {
    restore();
  }
  const systemctl = which("systemctl", env);
  const added = (await enabledUnits(units, env)).filter((unit) => !before.includes(unit));
  if (systemctl === undefined || added.length === 0) return;
  await run({ file: systemctl, args: ["disable", ...added], env }, { timeoutMs: 20_000 });
}

async function enabledUnits(units: string[], env: NodeJS.ProcessEnv): Promise<string[]> {
  const file = which("systemctl", env);
  if (file === undefined || units.length === 0) return [];
  const limits = { timeoutMs: 20_000 };
  const ask = (unit: string) => run({ file, args: ["is-enabled", "--quiet", unit], env }, limits);
  const answers = await Promise.all(units.map(ask));
  return units.filter((_unit, index) => answers[index]?.ok);
}

/** Debian's own way to keep packages from starting services: a policy that says no to all. */
function denyStarts(): () => void {
  const current = existsSync(policyFile) ? readFileSync(policyFile, "utf8") : undefined;
  // Ours is there already when an earlier run was cut off: then the saved one is the real one.
  if (current !== undefined && current !== denyAll) renameSync(policyFile, savedPolicy);
  writeFileSync(policyFile, denyAll, { mode: 0o755 });
  return () => {
    if (existsSync(savedPolicy)) renameSync(savedPolicy, policyFile);
    else rmSync(policyFile, { force: true });
  };
}
