import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { accepts } from "../ports.ts";
import { whyNoDocker } from "./docker.ts";
import { choosePort, fromEnvironment, launch, launchContainer, takeOver } from "./launch.ts";
import { downloadMongod, whyNoDownload } from "./mongod-download.ts";
import { which } from "./process.ts";
import { installSecantusDb, secantusDbCommand, secantusDbVersion } from "./secantusdb.ts";
import { foreign, type RunningService, type ServiceOptions, tagOf, variable } from "./service.ts";
import { adviceFor, firstOf } from "./ways.ts";

const name = "MongoDB";
const urlVariable = "MONGODB_URL";
const standardPort = 27017;
const image = "mongo:8";

/** Finds a MongoDB, or starts one of our own in the first way this machine offers. */
export async function startMongoDb(options: ServiceOptions): Promise<RunningService> {
  const url = variable(options.env, urlVariable);
  if (url !== undefined) {
    return fromEnvironment(options, { name, url, variable: urlVariable, probe: answers });
  }
  const ours = await takeOver(options, name, answers);
  if (ours !== undefined) return ours;
  const ways = [
    { title: `one listening on 127.0.0.1:${standardPort}`, go: () => findListening(options) },
    { title: "mongod", go: () => startInstalled(options) },
    { title: "Docker", go: () => startInDocker(options) },
    { title: "a download of mongod", go: () => downloadAndStart(options) },
    { title: "SecantusDB from PyPI", go: () => startSecantusDb(options) },
  ];
  return firstOf(options, name, ways, advice);
}

const advice = adviceFor({
  debian: "sudo apt-get install python3-venv",
  fedora: "sudo dnf install python3",
  mac: "brew install mongodb/brew/mongodb-community",
  docker: `docker run --detach --publish 127.0.0.1:${standardPort}:27017 ${image}`,
  variable: `${urlVariable}=mongodb://user:password@host:27017`,
});

async function findListening(options: ServiceOptions): Promise<RunningService | string> {
  if (options.private) return "a private one is wanted";
  if (!(await accepts(standardPort))) return "no server listens there";
  const url = urlOf(standardPort);
  if ((await answers(url)) === undefined) return "it does not answer a hello";
  return foreign(name, url, `already listening on 127.0.0.1:${standardPort}`);
}

async function startInstalled(options: ServiceOptions): Promise<RunningService | string> {
  const file = which("mongod", options.env);
  return file === undefined ? "it is not on PATH" : startMongod(options, file, "mongod");
}

async function startInDocker(options: ServiceOptions): Promise<RunningService | string> {
  const obstacle = await whyNoDocker(options.env, options.signal);
  if (obstacle !== undefined) return obstacle;
  const port = await choosePort(options, "mongodb", standardPort);
  options.report(`${name}: starting ${image} in Docker on 127.0.0.1:${port}`);
  return launchContainer(options, {
    name,
    url: urlOf(port),
    probe: answers,
    origin: (version) => `MongoDB ${version} in Docker on 127.0.0.1:${port}`,
    container: {
      name: `greetings-mongodb-${tagOf(options.dataDir)}`,
      image,
      inside: 27017,
      port,
      dataPath: "/data/db",
      hostname: "greetings",
    },
  });
}

async function downloadAndStart(options: ServiceOptions): Promise<RunningService | string> {
  const obstacle = whyNoDownload(options);
  if (obstacle !== undefined) return obstacle;
  const file = await downloadMongod(options);
  return startMongod(options, file, "downloaded mongod");
}

async function startMongod(options: ServiceOptions, file: string, title: string) {
  const port = await choosePort(options, "mongodb", standardPort);
  const folder = join(options.dataDir, "mongodb");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  options.report(`${name}: starting ${title} on 127.0.0.1:${port}`);
  const args = ["--bind_ip", "127.0.0.1", "--port", String(port), "--dbpath", folder];
  args.push("--nounixsocket");
  return launch(options, {
    name,
    url: urlOf(port),
    probe: answers,
    origin: (version) => `${title} ${version} on 127.0.0.1:${port}`,
    commands: [{ command: { file, args, env: options.env }, logFile: logOf(options) }],
  });
}

async function startSecantusDb(options: ServiceOptions): Promise<RunningService | string> {
  const installed = await installSecantusDb(options);
  const port = await choosePort(options, "mongodb", standardPort);
  options.report(`${name}: starting SecantusDB on 127.0.0.1:${port}`);
  return launch(options, {
    name,
    url: urlOf(port),
    probe: answers,
    origin: () => `SecantusDB ${secantusDbVersion} (from PyPI) on 127.0.0.1:${port}`,
    commands: [
      { command: await secantusDbCommand(options, installed, port), logFile: logOf(options) },
    ],
  });
}

function logOf(options: ServiceOptions): string {
  return join(options.dataDir, "logs", "mongodb.log");
}

function urlOf(port: number): string {
  return `mongodb://127.0.0.1:${port}`;
}

/** The version of the server that answers with this URL. */
async function answers(url: string): Promise<string | undefined> {
  try {
    const local = /^mongodb:\/\/127\.0\.0\.1:(\d+)$/.exec(url)?.[1];
    if (local !== undefined && !(await accepts(Number(local)))) return undefined;
    await using client = new MongoClient(url, { serverSelectionTimeoutMS: 3_000 });
    await client.db("admin").command({ hello: 1 });
    const { version } = await client.db("admin").command({ buildInfo: 1 });
    return String(version);
  } catch {
    return undefined;
  }
}
