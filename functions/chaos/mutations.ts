/** Builds that are broken on purpose: each has to make the laboratory find what it loses. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { functionsDir } from "../local/discover.ts";

export interface Mutation {
  readonly name: string;
  readonly title: string;
  /** The functions that have it in their bundle and are broken by it. */
  readonly functions: readonly string[];
  /** Below functions/. */
  readonly file: string;
  /** Source text, and what it becomes, wherever it is. */
  readonly edits: readonly (readonly [from: string, to: string])[];
  /** The fault that shows it, as `--faults` names it. */
  readonly shownBy: string;
}

export const mutations: readonly Mutation[] = [
  {
    name: "acknowledge",
    title: "messages are acknowledged before their delivery",
    functions: ["bridge"],
    file: "bridge/delivery.ts",
    edits: [
      ["channel.ack(message)", "void channel"],
      [
        "const received = receive(message, queue, runtime);",
        "channel.ack(message); const received = receive(message, queue, runtime);",
      ],
    ],
    shownBy: "SIGKILL bridge while F is away",
  },
  {
    name: "confirm",
    title: "requests are answered before the broker's confirm",
    functions: ["service-d"],
    file: "host/events/mandatory.ts",
    edits: [["await promise;", "promise.catch(() => {});"]],
    shownBy: "half-open: D to broker",
  },
  {
    name: "dead-letter",
    title: "messages that cannot be delivered are dropped",
    functions: ["bridge"],
    file: "bridge/delivery.ts",
    edits: [
      ["await publishCopy(channel, to, message, withDeath(message, death));", "void [to, death];"],
    ],
    shownBy: "dead letters while F is away",
  },
];

/** Makes the edits in a bundle. Throws where there is nothing to edit: then the mutation would test nothing. */
export function mutate({ name, file, edits }: Mutation): Plugin {
  const path = join(functionsDir, file);
  let source = readFileSync(path, "utf8");
  for (const [from, to] of edits) {
    if (!source.includes(from)) throw new Error(`mutation "${name}": ${file} has no ${from}`);
    source = source.replaceAll(from, to);
  }
  return {
    name: `mutation: ${name}`,
    setup({ onLoad }) {
      const filter = new RegExp(`${file.replace(/[.]/g, "\\.").replaceAll("/", "[\\\\/]")}$`);
      onLoad({ filter }, () => ({ contents: source, loader: "ts" }));
    },
  };
}
