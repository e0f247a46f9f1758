import { type ParseArgsConfig, parseArgs } from "node:util";
import type { Ports } from "./addresses.ts";
import { functionNames } from "./discover.ts";

export interface StartOptions {
  ports: Exclude<Ports, "free">;
  /** Logs as JSON lines on stdout, and all else on stderr. */
  json: boolean;
  oneProcess: boolean;
  /** Functions that run with Node's inspector. */
  inspect: readonly string[];
  /** Empties the data of earlier runs first. */
  fresh: boolean;
  /** As it was typed: FUNCTION=FOLDER:PERCENT. */
  canary: string | undefined;
  /** What the options say to the functions; checked with the rest of their configuration. */
  env: NodeJS.ProcessEnv;
  help: boolean;
}

/** The command line cannot be understood; the message says what is wrong with it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const startUsage = `Runs the whole graph on this machine: RabbitMQ, MongoDB, and every function.

  npm start [-- options]       until Ctrl-C
  npm run dev [-- options]     the same; saving a file restarts the functions that import it

  --port N          the gateway's port (8080); the other functions take N+1 upwards
  --protocol P      http or grpc for every call, or declared: as each function says (declared)
  --log-level L     trace, debug, info, warn, error, fatal or silent (info)
  --json            logs as JSON lines on stdout, progress on stderr
  --one-process     every function in one process, for small machines and debuggers
  --inspect NAMES   Node's inspector for service-c, or service-c,service-d: a debugger attaches from port 9229 on
  --fresh           begin with empty queues and collections
  --canary F=DIR:N  a second version of function F, from folder DIR, gets N percent of the calls to it (10)
  --help            this text

RABBITMQ_URL and MONGODB_URL make it use a broker and a database of yours.`;

/** Leaves room for the functions' ports above it. */
const highestGatewayPort = 65_000;

export function parseStartOptions(args: string[]): StartOptions {
  const { values } = parse({
    args,
    options: {
      port: { type: "string", default: "8080" },
      protocol: { type: "string" },
      "log-level": { type: "string" },
      json: { type: "boolean", default: false },
      "one-process": { type: "boolean", default: false },
      inspect: { type: "string", multiple: true, default: [] },
      fresh: { type: "boolean", default: false },
      canary: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", default: false },
    },
  });
  const gateway = positive("port", values.port, highestGatewayPort);
  return {
    ports: { gateway, first: gateway + 1 },
    json: values.json,
    oneProcess: values["one-process"],
    inspect: inspected(values.inspect),
    fresh: values.fresh,
    canary: one("canary", values.canary),
    help: values.help,
    env: {
      ...(values.protocol !== undefined && { CALL_PROTOCOL: values.protocol }),
      ...(values["log-level"] !== undefined && { LOG_LEVEL: values["log-level"] }),
    },
  };
}

/** By comma, or by one option each. */
function inspected(given: readonly string[]): string[] {
  const names = new Set(given.flatMap((list) => list.split(",")).map((name) => name.trim()));
  const known = functionNames();
  const unknown = [...names].filter((name) => !known.includes(name));
  if (unknown.length === 0) return [...names];
  throw new UsageError(
    `--inspect ${unknown.join()}: there is no such function, but ${known.join(", ")}`,
  );
}

/** node:util's parseArgs, with errors that are for the person who typed the line. */
export function parse<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    // Its longer messages go on to explain how to escape a dash, which does not help here.
    const [first] = (error as Error).message.split(". ");
    throw new UsageError(`${first}; --help lists the options`, { cause: error });
  }
}

function one(option: string, values: readonly string[]): string | undefined {
  if (values.length < 2) return values[0];
  throw new UsageError(`--${option} is given ${values.length} times; one is possible`);
}

export function positive(option: string, value: string, most: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : 0;
  if (number >= 1 && number <= most) return number;
  throw new UsageError(`--${option} ${value}: a number from 1 to ${most} is expected`);
}
