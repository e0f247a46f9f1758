import { parse, UsageError } from "../options.ts";

/** What was asked for, as it was typed. */
export interface NewOptions {
  readonly name: string | undefined;
  readonly calls: readonly string[];
  readonly saves: readonly string[];
  readonly publishes: readonly string[];
  readonly from: string | undefined;
  readonly routes: readonly string[];
  readonly public: boolean;
  readonly help: boolean;
}

export const usage = `Writes a new function and its first test, and everything that follows from its declaration.

  npm run new -- NAME [options]      without options it asks, on a terminal

  --route 'POST /api/orders'     a route that it answers (repeatable)
  --calls grpc:service-g         a function that it calls, by http or grpc (repeatable, or with commas)
  --saves database.collection    a collection that it saves to (repeatable, or with commas)
  --publishes queue              a queue that it publishes to (repeatable, or with commas)
  --from queue                   the queue that it consumes
  --public                       reachable from outside the cluster by its own name
  --help                         this text

For example:
  npm run new -- orders --route 'POST /api/orders' --calls grpc:service-g --saves orders.orders --publishes orders
  npm run new -- invoices --from orders --saves invoices.invoices`;

const own = ["calls", "saves", "publishes", "from", "route", "public"] as const;

export function parseNewOptions(args: string[], env: NodeJS.ProcessEnv): NewOptions {
  const { values, positionals } = parse({
    args,
    allowPositionals: true,
    options: {
      calls: { type: "string", multiple: true, default: [] },
      saves: { type: "string", multiple: true, default: [] },
      publishes: { type: "string", multiple: true, default: [] },
      from: { type: "string" },
      route: { type: "string", multiple: true, default: [] },
      public: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  // npm takes options before "--" as its own, and hands on their values without saying whose they are.
  const taken = own.filter((name) => env[`npm_config_${name}`] !== undefined);
  if (taken.length > 0) {
    const list = taken.map((name) => `--${name}`).join(", ");
    throw new UsageError(
      `npm took ${list} as its own. Type -- before the function's name:\n` +
        "  npm run new -- orders --route 'POST /api/orders' --saves orders.orders",
    );
  }
  const [name, ...others] = positionals;
  if (others.length > 0) {
    throw new UsageError(`One name is expected, not "${positionals.join(" ")}"; see --help`);
  }
  const { calls, saves, publishes, from, route: routes } = values;
  return {
    name,
    calls: listed(calls),
    saves: listed(saves),
    publishes: listed(publishes),
    from: from || undefined,
    routes: routes.map((route) => route.trim()).filter(Boolean),
    public: values.public,
    help: values.help,
  };
}

/** Whether nothing but the name was said. */
export function isBare({ calls, saves, publishes, from, routes, ...rest }: NewOptions): boolean {
  const lists = [calls, saves, publishes, routes];
  return lists.every((list) => list.length === 0) && from === undefined && !rest.public;
}

export function listed(texts: readonly string[]): string[] {
  return texts
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter(Boolean);
}
