import { connect } from "amqplib";
import { accepts } from "../ports.ts";
import { aptInstall, whyNoApt } from "./apt.ts";
import { whyNoDocker } from "./docker.ts";
import { choosePort, fromEnvironment, launch, launchContainer, takeOver } from "./launch.ts";
import { findRabbitMqServer, rabbitMqCommands } from "./rabbitmq-server.ts";
import { foreign, type RunningService, type ServiceOptions, tagOf, variable } from "./service.ts";
import { adviceFor, firstOf } from "./ways.ts";

const name = "RabbitMQ";
const urlVariable = "RABBITMQ_URL";
const standardPort = 5672;
const image = "rabbitmq:4";
/** What the Debian packages would start at the next boot: a broker, and Erlang's port mapper. */
const packagedUnits = ["rabbitmq-server.service", "epmd.service", "epmd.socket"];

/** Finds a RabbitMQ, or starts one of our own in the first way this machine offers. */
export async function startRabbitMq(options: ServiceOptions): Promise<RunningService> {
  const url = variable(options.env, urlVariable);
  if (url !== undefined) {
    return fromEnvironment(options, { name, url, variable: urlVariable, probe: answers });
  }
  const ours = await takeOver(options, name, answers);
  if (ours !== undefined) return ours;
  const ways = [
    { title: `one listening on 127.0.0.1:${standardPort}`, go: () => findListening(options) },
    { title: "rabbitmq-server", go: () => startInstalled(options) },
    { title: "Docker", go: () => startInDocker(options) },
    { title: "apt-get", go: () => installAndStart(options) },
  ];
  return firstOf(options, name, ways, advice);
}

const advice = adviceFor({
  debian: "sudo apt-get install rabbitmq-server",
  fedora: "sudo dnf install rabbitmq-server",
  mac: "brew install rabbitmq",
  docker: `docker run --detach --publish 127.0.0.1:${standardPort}:5672 ${image}`,
  variable: `${urlVariable}=amqp://user:password@host:5672`,
});

async function findListening(options: ServiceOptions): Promise<RunningService | string> {
  if (options.private) return "a private one is wanted";
  if (!(await accepts(standardPort))) return "no server listens there";
  const url = urlOf(standardPort);
  if ((await answers(url)) === undefined) return "it does not accept guest over AMQP";
  return foreign(name, url, `already listening on 127.0.0.1:${standardPort}`);
}

async function startInstalled(options: ServiceOptions): Promise<RunningService | string> {
  const file = findRabbitMqServer(options.env);
  if (file === undefined) return "it is not installed";
  const port = await choosePort(options, "rabbitmq", standardPort);
  options.report(`${name}: starting rabbitmq-server on 127.0.0.1:${port}`);
  return launch(options, {
    name,
    url: urlOf(port),
    probe: answers,
    origin: (version) => `rabbitmq-server ${version} on 127.0.0.1:${port}`,
    commands: await rabbitMqCommands(options, file, port),
  });
}

async function startInDocker(options: ServiceOptions): Promise<RunningService | string> {
  const obstacle = await whyNoDocker(options.env, options.signal);
  if (obstacle !== undefined) return obstacle;
  const port = await choosePort(options, "rabbitmq", standardPort);
  options.report(`${name}: starting ${image} in Docker on 127.0.0.1:${port}`);
  return launchContainer(options, {
    name,
    url: urlOf(port),
    probe: answers,
    origin: (version) => `RabbitMQ ${version} in Docker on 127.0.0.1:${port}`,
    container: {
      name: `greetings-rabbitmq-${tagOf(options.dataDir)}`,
      image,
      inside: 5672,
      port,
      dataPath: "/var/lib/rabbitmq",
      hostname: "greetings",
    },
  });
}

async function installAndStart(options: ServiceOptions): Promise<RunningService | string> {
  const obstacle = whyNoApt(options.env);
  if (obstacle !== undefined) return obstacle;
  // It was found before this way is tried, so an installation that is there has already failed.
  if (findRabbitMqServer(options.env) !== undefined) return "rabbitmq-server is installed already";
  options.report(`${name}: none on this machine; installing rabbitmq-server with apt-get`);
  await aptInstall("rabbitmq-server", packagedUnits, options);
  return startInstalled(options);
}

function urlOf(port: number): string {
  return `amqp://guest:guest@127.0.0.1:${port}`;
}

/** The version of the broker that accepts a connection with this URL. */
async function answers(url: string): Promise<string | undefined> {
  try {
    const connection = await connect(url, { timeout: 3_000 });
    connection.on("error", () => {}); // it may go down while we say goodbye
    const { version } = connection.connection.serverProperties;
    await connection.close();
    return version;
  } catch {
    return undefined;
  }
}
