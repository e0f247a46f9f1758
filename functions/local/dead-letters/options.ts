import { parse, positive, UsageError } from "../options.ts";

export const usage = `Messages that could not be delivered: what they are, why, and another try.

  npm run dead-letters -- list
  npm run dead-letters -- show ID
  npm run dead-letters -- retry ID
  npm run dead-letters -- retry --all --queue service-d
  npm run dead-letters -- drop ID

  list           each with its id, type, time, deliveries, trace and reason
  show           the whole message
  retry          publishes it to the queue that it came from
  drop           deletes it for good; asks first

  --all          retry, drop: every one instead of one ID
  --queue NAME   of this queue only, and not of every queue of the graph
  --limit N      list: the most per queue (50)
  --json         list, show: as JSON
  --yes          drop: without a question, as where there is no terminal
  --help         this text

The broker is RABBITMQ_URL's, or else that of the graph that npm start runs.`;

const commands = ["list", "show", "retry", "drop"] as const;

export interface DeadLetterOptions {
  readonly command: (typeof commands)[number];
  /** Undefined for `list`, and for all. */
  readonly id: string | undefined;
  readonly queue: string | undefined;
  readonly limit: number;
  readonly json: boolean;
  readonly yes: boolean;
}

/** Undefined when the usage is asked for; throws a UsageError for a line that cannot be understood. */
export function parseOptions(args: string[]): DeadLetterOptions | undefined {
  const { values, positionals } = parse({
    args,
    allowPositionals: true,
    options: {
      all: { type: "boolean", default: false },
      queue: { type: "string" },
      limit: { type: "string", default: "50" },
      json: { type: "boolean", default: false },
      yes: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const [name, id, ...more] = positionals;
  const command = commands.find((one) => one === name);
  if (!command) {
    throw new UsageError(`"${name ?? ""}": one of ${commands.join(", ")} is expected`);
  }
  if (more.length > 0) throw new UsageError(`${more.join(" ")}: one ID at a time is expected`);
  const { all, queue, json, yes } = values;
  if (command === "list" && (id || all)) throw new UsageError("list takes no ID and no --all");
  if (command === "show" && (!id || all)) throw new UsageError("show: an ID is expected");
  if (command !== "list" && command !== "show" && Boolean(id) === all) {
    throw new UsageError(`${command}: an ID or --all is expected`);
  }
  return { command, id, queue, limit: positive("limit", values.limit, 10_000), json, yes };
}
