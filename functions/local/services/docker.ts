import { type Finished, run, which } from "./process.ts";
import { ServiceError } from "./service.ts";

export interface Container {
  /** Also the name of the volume with its data, which outlives it. */
  name: string;
  image: string;
  /** The port inside, published on `port` of 127.0.0.1. */
  inside: number;
  port: number;
  dataPath: string;
  hostname: string;
}

const label = "greetings.local";
const pullMs = 600_000;

/** Why Docker cannot be used here; undefined when it can. */
export async function whyNoDocker(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (which("docker", env) === undefined) return "docker is not on PATH";
  const info = await docker(["info"], { env, timeoutMs: 10_000, signal });
  return info.ok ? undefined : "docker is on PATH, but its daemon does not answer";
}

/** Starts a container in the background, downloading its image when it is not there. */
export async function runContainer(
  container: Container,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { name, port, inside } = container;
  await removeContainer(name, 0, env); // of a run that was cut off before it could record it
  const publish = `127.0.0.1:${port}:${inside}`;
  const volume = `${name}:${container.dataPath}`;
  // A broker keeps its data under its host name, so that must be the same the next time.
  const args = ["run", "--detach", "--name", name, "--label", `${label}=${name}`];
  args.push("--hostname", container.hostname, "--publish", publish, "--volume", volume);
  const started = await docker([...args, container.image], { env, timeoutMs: pullMs, signal });
  if (!started.ok) throw new ServiceError(`docker run ${container.image}: ${started.output}`);
}

/** Ends and removes a container of ours by name, at a limit of 0 at once; whether it was there. */
export async function removeContainer(
  name: string,
  limitMs: number,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  // The label keeps a container safe that merely has the name.
  const list = ["ps", "--all", "--quiet", "--filter", `label=${label}=${name}`];
  const found = await docker(list, { env, timeoutMs: 10_000 });
  if (!found.ok || found.output === "") return false;
  const seconds = Math.ceil(limitMs / 1_000);
  if (seconds > 0) {
    const stop = ["stop", "-t", String(seconds), found.output];
    await docker(stop, { env, timeoutMs: limitMs + 10_000 });
  }
  const removed = await docker(["rm", "--force", found.output], { env, timeoutMs: 20_000 });
  if (!removed.ok) throw new ServiceError(`docker rm ${name}: ${removed.output}`);
  return true;
}

function docker(
  args: string[],
  limits: { env: NodeJS.ProcessEnv; timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<Finished> {
  return run({ file: which("docker", limits.env) ?? "docker", args, env: limits.env }, limits);
}
