/** The contenders by name: our graph in three kinds, the same graph written plainly, and the least Node can do. */
import { join } from "node:path";
import { addressVariable } from "#host/base/config";
import { root } from "../local/tool-env.ts";
import { type DatabaseKind, startBacking } from "./backing.ts";
import type { Built } from "./built.ts";
import { type Contender, graphNames, startTree } from "./contender.ts";

export const contenderNames = ["ours", "ours-grpc", "ours-http", "plain", "floor"] as const;
export type ContenderName = (typeof contenderNames)[number];

export interface StartOptions {
  readonly database: DatabaseKind;
  /** Our functions; needed by ours alone. */
  readonly built: Built | undefined;
  /** Of a broker that is there already. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** For Node, before all else. */
  readonly nodeArgs?: (name: string) => readonly string[];
}

const here = import.meta.dirname;
const stock = join(root, "node_modules/@google-cloud/functions-framework/build/src/main.js");
/** The edges, for those that do not read them from a declaration. */
const calls: Readonly<Record<string, readonly string[]>> = {
  gateway: ["service-a"],
  "service-a": ["service-b", "service-c"],
  "service-b": ["service-d", "service-e"],
  "service-e": ["service-g", "service-h"],
};

/** Settles when it answers. */
export async function startContender(
  name: ContenderName,
  options: StartOptions,
): Promise<Contender> {
  const { database, built, env, nodeArgs = () => [] } = options;
  if (name === "floor") {
    return startTree({
      name,
      expected: "status",
      names: graphNames.filter((one) => one !== "bridge"),
      processOf: (one, ports) => ({
        args: [...nodeArgs(one), join(here, "floor/node.mjs")],
        env: {
          PORT: String(ports.get(one)),
          CALLEES: (calls[one] ?? []).map((callee) => ports.get(callee)).join(),
          NODE_ENV: "production",
        },
      }),
    });
  }
  const backing = await startBacking(database, env);
  const common = { name, expected: "greetings", backing } as const;
  if (name === "plain") {
    return startTree({
      ...common,
      processOf(one, ports) {
        const signature = one === "service-f" ? "cloudevent" : "http";
        const source = join(here, "plain", `${one}.mjs`);
        const command = [stock, `--target=${one}`, `--signature-type=${signature}`];
        return {
          cwd: root,
          args: [
            ...nodeArgs(one),
            ...(one === "bridge"
              ? [join(here, "plain/consumer.mjs")]
              : [...command, `--source=${source}`, `--port=${ports.get(one)}`]),
          ],
          env: { NODE_ENV: "production", ...backing.env, ...addressesOf(ports) },
        };
      },
    });
  }
  if (!built) throw new Error(`${name} needs built functions`);
  const protocol = name.split("-")[1];
  return startTree({
    ...common,
    processOf(one, ports) {
      const { start } = built.imageOf(one);
      return {
        args: [...nodeArgs(one), ...start.args],
        env: {
          ...start.env,
          PORT: String(ports.get(one)),
          HOST: "127.0.0.1",
          ...backing.env,
          ...addressesOf(ports),
          ...(protocol && { CALL_PROTOCOL: protocol }),
        },
      };
    },
  });
}

function addressesOf(ports: ReadonlyMap<string, number>): NodeJS.ProcessEnv {
  return Object.fromEntries(
    [...ports].map(([name, port]) => [addressVariable(name), `127.0.0.1:${port}`]),
  );
}
