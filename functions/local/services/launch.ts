import { setTimeout as wait } from "node:timers/promises";
import { withoutPassword } from "#host/telemetry/logger";
import { freePort, isFree } from "../ports.ts";
import { type Container, removeContainer, runContainer } from "./docker.ts";
import { type Command, spawnServer, stopGroup, waitForAnswer } from "./process.ts";
import { groupMembers, isAlive, type ProcessIdentity } from "./process-table.ts";
import {
  forget,
  type RecordedService,
  readRecord,
  recallPort,
  record,
  rememberPort,
} from "./record.ts";
import { foreign, type RunningService, type ServiceName, type ServiceOptions } from "./service.ts";

/** Resolves to the server's version when it answers as it should, to undefined when it does not. */
export type Probe = (url: string) => Promise<string | undefined>;

interface Server {
  name: ServiceName;
  url: string;
  probe: Probe;
  /** What it is, for a person, given the version it answered with. */
  origin(version: string): string;
}

export interface Launch extends Server {
  /** Started in this order; the last is the server that is asked, the others are its helpers. */
  commands: { command: Command; logFile: string }[];
}

const readyMs = 90_000;
const stopMs = 20_000;
/** A server that has not answered yet has nothing to lose, and may be too young to heed SIGTERM. */
const stopUnreadyMs = 4_000;

/** Starts a server of our own and waits until it answers; on failure nothing of it is left. */
export async function launch(options: ServiceOptions, what: Launch): Promise<RunningService> {
  const started: RecordedService = { name: what.name, origin: "", url: what.url, groups: [] };
  try {
    let server: { leader: ProcessIdentity; logFile: string } | undefined;
    for (const { command, logFile } of what.commands) {
      const leader = spawnServer(command, logFile);
      started.groups.push([leader]);
      record(options.dataDir, started);
      server = { leader, logFile };
    }
    const limits = { timeoutMs: readyMs, signal: options.signal };
    const version = await waitForAnswer(server, () => what.probe(what.url), limits);
    started.origin = what.origin(version);
    started.groups = started.groups.map(([leader]) => (leader ? groupMembers(leader.pid) : []));
    record(options.dataDir, started);
    return owned(options, started);
  } catch (error) {
    await stopRecorded(options, started);
    throw error;
  }
}

/** The same for a container; the image is downloaded when it is not there. */
export async function launchContainer(
  options: ServiceOptions,
  what: Server & { container: Container },
): Promise<RunningService> {
  const { name, url, container } = what;
  const started: RecordedService = { name, origin: "", url, groups: [], container: container.name };
  try {
    record(options.dataDir, started);
    await runContainer(container, options.env, options.signal);
    const limits = { timeoutMs: readyMs, signal: options.signal };
    started.origin = what.origin(await waitForAnswer(undefined, () => what.probe(url), limits));
    record(options.dataDir, started);
    return owned(options, started);
  } catch (error) {
    await stopRecorded(options, started);
    throw error;
  }
}

/** Takes over what an earlier run of ours left running on this data folder, or clears it away. */
export async function takeOver(
  options: ServiceOptions,
  name: ServiceName,
  probe: Probe,
): Promise<RunningService | undefined> {
  const left = readRecord(options.dataDir).find((service) => service.name === name);
  if (left === undefined) return undefined;
  const alive = left.container !== undefined || left.groups.at(-1)?.some(isAlive);
  // Without an origin it was still starting when its run was cut off: not worth waiting for.
  if (alive && left.origin !== "" && (await probe(left.url)) !== undefined) {
    const service = owned(options, left);
    service.origin = `${left.origin}, still running from an earlier start`;
    return service;
  }
  if (await stopRecorded(options, left)) {
    options.report(`${name}: ended one that an earlier run left and that did not answer`);
  }
  return undefined;
}

/** Ends a recorded service and takes it off the record; returns whether any of it was running. */
export async function stopRecorded(
  where: Pick<ServiceOptions, "dataDir" | "env">,
  service: RecordedService,
  limitMs = service.origin === "" ? stopUnreadyMs : stopMs,
): Promise<boolean> {
  let any = false;
  if (service.container !== undefined) {
    any = await removeContainer(service.container, limitMs, where.env);
  }
  // Last started, first stopped: a broker takes its leave of its epmd.
  for (const group of service.groups.toReversed()) {
    any = (await stopGroup(group, limitMs)) || any;
  }
  forget(where.dataDir, service.name);
  return any;
}

/** The port for a server of our own, and the one to prefer the next time on this data folder. */
export async function choosePort(
  options: ServiceOptions,
  use: string,
  standard = 0,
): Promise<number> {
  const usual = options.private ? 0 : standard;
  const recalled = recallPort(options.dataDir, use) ?? 0;
  const wanted = [options.port ?? 0, recalled, usual];
  let port: number | undefined;
  for (const candidate of wanted) {
    if (candidate <= 0) continue;
    // Clients know the port of before; the process that was killed may hold it for a moment.
    if (await (candidate === recalled ? isFreeSoon(candidate) : isFree(candidate))) {
      port = candidate;
      break;
    }
  }
  port ??= await freePort();
  rememberPort(options.dataDir, use, port);
  return port;
}

async function isFreeSoon(port: number): Promise<boolean> {
  for (const until = Date.now() + 2_000; Date.now() < until; await wait(100)) {
    if (await isFree(port)) return true;
  }
  return false;
}

function owned(options: ServiceOptions, service: RecordedService): RunningService {
  const end = async (limitMs: number) => {
    await stopRecorded(options, service, limitMs);
  };
  let stopped: Promise<void> | undefined;
  const pid = service.groups.at(-1)?.[0]?.pid;
  return {
    name: service.name,
    url: service.url,
    origin: service.origin,
    owned: true,
    ...(pid === undefined ? {} : { pid }),
    stop: () => {
      stopped ??= end(stopMs);
      return stopped;
    },
    // Not held back by a stop that is under way: who is impatient asks for this then.
    kill: () => {
      stopped = end(0);
      return stopped;
    },
  };
}

/** A service the environment names: it is used even before it answers, as the functions do. */
export async function fromEnvironment(
  options: ServiceOptions,
  service: { name: ServiceName; url: string; variable: string; probe: Probe },
): Promise<RunningService> {
  if ((await service.probe(service.url)) === undefined) {
    options.report(
      `${service.name}: ${service.variable} is ${withoutPassword(service.url)}, which does not answer yet; ` +
        "the functions become ready when it does",
    );
  }
  return foreign(service.name, service.url, service.variable);
}
