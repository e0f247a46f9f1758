import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { choosePort } from "./launch.ts";
import { type Command, isExecutable, which } from "./process.ts";
import { ServiceError, type ServiceOptions, tagOf } from "./service.ts";

/** Where packages keep the server itself; their command on PATH insists on a user and a folder. */
const packaged = "/usr/lib/rabbitmq/bin/rabbitmq-server";
/** Folders of administrators, which a plain user's PATH leaves out. */
const moreFolders = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

/** The rabbitmq-server that runs as any user; an empty PATH means that none is to be found. */
export function findRabbitMqServer(env: NodeJS.ProcessEnv): string | undefined {
  if (!env.PATH) return undefined;
  if (isExecutable(packaged)) return packaged;
  return which("rabbitmq-server", { PATH: [env.PATH, ...moreFolders].join(":") });
}

/**
 * A broker that shares nothing with another on this machine: its own node name, ports, cookie and
 * folders, and an epmd (Erlang's port mapper) of its own. Erlang would start a common epmd that
 * outlives it, and whose owner cannot be known; on its own port it is certainly ours.
 */
export async function rabbitMqCommands(options: ServiceOptions, file: string, port: number) {
  const home = join(options.dataDir, "rabbitmq");
  const at = (entry: string) => join(home, entry);
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeFile(at("rabbitmq.conf"), `listeners.tcp.1 = 127.0.0.1:${port}\n`);
  await writeFile(at("enabled_plugins"), "[].\n");
  await writeFile(at("rabbitmq-env.conf"), ""); // the machine's own is not for us
  const own = { ...options, port: 0 };
  const epmdPort = String(await choosePort(own, "epmd"));
  const env: NodeJS.ProcessEnv = {
    ...withoutErlang(options.env),
    HOME: home,
    ERL_EPMD_PORT: epmdPort,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: `greetings-${tagOf(options.dataDir)}@localhost`,
    RABBITMQ_DIST_PORT: String(await choosePort(own, "rabbitmq-dist")),
    RABBITMQ_CONF_ENV_FILE: at("rabbitmq-env.conf"),
    RABBITMQ_CONFIG_FILE: at("rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: at("enabled_plugins"),
    RABBITMQ_MNESIA_BASE: at("data"),
    RABBITMQ_LOG_BASE: at("log"),
    RABBITMQ_LOGS: "-",
    RABBITMQ_PID_FILE: at("pid"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
  };
  const epmd = await findEpmd(options.env);
  const logFile = (name: string) => join(options.dataDir, "logs", `${name}.log`);
  const portMapper: Command = { file: epmd, args: ["-port", epmdPort], env, cwd: home };
  const broker: Command = { file, args: [], env, cwd: home };
  return [
    { command: portMapper, logFile: logFile("epmd") },
    { command: broker, logFile: logFile("rabbitmq") },
  ];
}

/** A user's settings for another broker or another Erlang must not reach ours. */
function withoutErlang(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([key]) => !/^(RABBITMQ|ERL)_/.test(key));
  return Object.fromEntries(kept);
}

/** On PATH, or inside Erlang where some packages leave it (erts-13.1.5/bin). */
async function findEpmd(env: NodeJS.ProcessEnv): Promise<string> {
  const onPath = which("epmd", env);
  if (onPath !== undefined) return onPath;
  for (const root of ["/usr/lib/erlang", "/usr/lib64/erlang", "/opt/homebrew/lib/erlang"]) {
    const entries = await readdir(root).catch(() => []);
    const runtimes = entries.filter((entry) => entry.startsWith("erts-"));
    const found = runtimes.map((entry) => join(root, entry, "bin/epmd")).find(isExecutable);
    if (found !== undefined) return found;
  }
  throw new ServiceError("Erlang's epmd was not found");
}
