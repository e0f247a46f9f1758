import { join } from "node:path";
import { writeShares } from "#host/base/addresses";
import { addressVariable } from "#host/base/config";
import { type Canary, versions } from "./canary/canary.ts";
import type { Deployable } from "./discover.ts";
import { pausableEnv } from "./inspect.ts";
import { liveEnv } from "./live/live-env.ts";
import type { RunningService } from "./services/service.ts";
import { oldHeap, oneArena, smallHeap } from "./small-heap.ts";

/** What one process runs: a function, its canary, or all functions. */
export interface Unit {
  readonly name: string;
  readonly functions: readonly Deployable[];
  /** Of its functions, in their order. */
  readonly ports: readonly number[];
  readonly isCanary: boolean;
}

export interface FunctionEnvOptions {
  env: NodeJS.ProcessEnv;
  cacheDir: string;
  oneProcess: boolean;
  addresses: ReadonlyMap<string, number>;
  canary: Canary | undefined;
  urls: NodeJS.ProcessEnv;
  /** The live server's. */
  origin: string;
  /** A receiver that gets the spans in place of the live server. */
  spansTo: string | undefined;
  /** A debugger may pause some function. */
  pausable: boolean;
}

/** The services' addresses that these functions need, waiting for no others. */
export async function urlsFor(
  functions: readonly Deployable[],
  services: { rabbit: Promise<RunningService>; mongo: Promise<RunningService> },
): Promise<NodeJS.ProcessEnv> {
  // What a function without a definition uses is not known.
  const some = (test: (definition: NonNullable<Deployable["definition"]>) => boolean) =>
    functions.some(({ definition }) => definition === undefined || test(definition));
  const uses = (system: "rabbitmq" | "mongodb") =>
    some(({ effects }) => effects.some((effect) => effect.system === system));
  const usesRabbit = uses("rabbitmq") || some(({ kind }) => kind === "bridge");
  return {
    ...(usesRabbit && { RABBITMQ_URL: (await services.rabbit).url }),
    ...(uses("mongodb") && { MONGODB_URL: (await services.mongo).url }),
  };
}

/** The environment of a process. */
export function envOf(unit: Unit, options: FunctionEnvOptions): NodeJS.ProcessEnv {
  const { env, cacheDir, oneProcess, addresses, urls, origin, spansTo, canary } = options;
  const names = unit.functions.map(({ name }) => name);
  const control = !oneProcess;
  return {
    // Compiled code is kept between starts: without it most of a start is stripping types.
    NODE_COMPILE_CACHE: join(cacheDir, "compile"),
    ...env,
    ...(options.pausable && pausableEnv(env)),
    // Many functions in one process need what many processes have.
    ...(!oneProcess && {
      NODE_OPTIONS: [smallHeap, oldHeap, env.NODE_OPTIONS].filter(Boolean).join(" "),
      ...oneArena,
    }),
    ...liveEnv(names, { env, origin, addresses, control }),
    ...(spansTo && { OTEL_EXPORTER_OTLP_ENDPOINT: spansTo, OTEL_BSP_SCHEDULE_DELAY: undefined }),
    ...urls,
    ...calleesOf(addresses, canary),
    ...(canary && names.includes(canary.of) && versionEnv(unit, env)),
    FUNCTION_TARGET: names[0],
    PORT: String(unit.ports[0] ?? 0),
    HOST: "127.0.0.1",
  };
}

function calleesOf(addresses: ReadonlyMap<string, number>, canary: Canary | undefined) {
  const at = (name: string) => `127.0.0.1:${addresses.get(name)}`;
  const names = [...addresses.keys()].filter((name) => name !== canary?.name);
  const own = names.map((name) => [addressVariable(name), at(name)]);
  if (!canary) return Object.fromEntries(own);
  const { of, name, percent } = canary;
  const shares = [
    { address: at(of), percent: 100 - percent },
    { address: at(name), percent },
  ];
  return { ...Object.fromEntries(own), [addressVariable(of)]: writeShares(shares) };
}

/** Its spans show which of the two it is. */
function versionEnv({ isCanary }: Unit, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const version = `service.version=${isCanary ? versions.canary : versions.own}`;
  const given = env.OTEL_RESOURCE_ATTRIBUTES;
  return { OTEL_RESOURCE_ATTRIBUTES: [given, version].filter(Boolean).join() };
}
