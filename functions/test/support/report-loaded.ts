/** Loaded before a function: prints at its end, as one line of JSON, the packages and Node's own modules that it has loaded. */
import { registerHooks } from "node:module";

export interface Loaded {
  readonly packages: readonly string[];
  readonly builtins: readonly string[];
  /** Files of functions/: "host/main.ts". */
  readonly own: readonly string[];
}

const packages = new Set<string>();
const own = new Set<string>();

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(found.url) ?? [];
    if (name) packages.add(name);
    const [, file] = /\/functions\/([^?]+)$/.exec(found.url) ?? [];
    if (file) own.add(file);
    return found;
  },
});

process.once("exit", () => {
  const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };
  const builtins = moduleLoadList.flatMap((name) => name.split("NativeModule ").slice(1));
  const loaded: Loaded = { packages: [...packages], builtins, own: [...own] };
  process.stdout.write(`${JSON.stringify({ loaded })}\n`);
});
