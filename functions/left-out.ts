/** What a bundle does without: parts of packages that no function uses, or not this one. Each costs a start its time and memory. */
import type { Plugin } from "esbuild";
import type { Definition } from "./host/kinds/definition.ts";

/** One or more modules, by what imports them and the name that it gives them, and what is there in their place. */
interface LeftOut {
  readonly importer?: RegExp;
  readonly path: RegExp;
  readonly contents?: string;
}

/** The definition of a plain handler is undefined: such a function keeps whatever it could use. */
export function leftOut(definition: Definition | undefined): Plugin {
  const parts = [...unused, ...unusedBy(definition)];
  return {
    name: "left-out",
    setup({ onResolve, onLoad }) {
      for (const { path: filter, importer, contents = "module.exports = {};" } of parts) {
        onResolve({ filter }, ({ path, importer: from, resolveDir }) =>
          importer && !importer.test(from)
            ? undefined
            : { path, namespace: "left-out", pluginData: { contents, resolveDir } },
        );
      }
      onLoad({ filter: /.*/, namespace: "left-out" }, ({ pluginData }) => pluginData);
    },
  };
}

const unused: readonly LeftOut[] = [
  {
    // Figures of its own, and of clusters and workers; Pushgateway, with all of node:https.
    importer: /@prometheus-io[\\/]client[\\/]index\.js$/,
    path: /^\.\/lib\/(cluster|worker|pushgateway|defaultMetrics|summary)$/,
  },
  // pino's own ways to write: the log goes to stdout.
  { importer: /[\\/]pino[\\/]/, path: /^thread-stream$/ },
  {
    importer: /[\\/]pino[\\/]/,
    path: /^sonic-boom$/,
    contents: "module.exports = class SonicBoom {};",
  },
  // Tables of Unicode, for a password that is checked by SCRAM-SHA-256: loaded with the first.
  {
    importer: /[\\/]mongodb[\\/]/,
    path: /^@mongodb-js\/saslprep$/,
    contents: 'exports.saslprep = (...args) => require("@mongodb-js/saslprep").saslprep(...args);',
  },
  // Node's own URL follows the same standard, and needs no tables of Unicode in the bundle.
  {
    importer: /[\\/]mongodb-connection-string-url[\\/]/,
    path: /^whatwg-url$/,
    contents: "module.exports = { URL, URLSearchParams };",
  },
];

function unusedBy(definition: Definition | undefined): LeftOut[] {
  if (!definition) return [];
  const uses = (name: string) => definition.effects.some(({ system }) => system === name);
  const all = [
    // Express and the rest of the server that a plain handler runs in.
    { path: /^@google-cloud\/functions-framework\/testing$/, used: false },
    { path: /^mongodb$/, used: uses("mongodb") },
    { path: /^amqplib$/, used: uses("rabbitmq") || definition.kind === "bridge" },
    { path: /^ajv(\/dist\/2020\.js)?$/, used: checksJson(definition) },
  ];
  return all.filter(({ used }) => !used);
}

/** Whether a body is checked by a JSON Schema; other schemas bring their own library. */
function checksJson({ routes }: Definition): boolean {
  return routes.some(({ body }) => body && !("~standard" in body));
}
