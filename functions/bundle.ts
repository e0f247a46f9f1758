/**
 * `node functions/bundle.ts FUNCTION FOLDER [--debug]`: one function with the host and its packages as FOLDER/main.js,
 * with a source map, the list of its packages (sbom.cdx.json), and no node_modules beside it. The build stage of the
 * Dockerfile. With --debug a debugger finds all that it needs in main.js: the code as it was written, and its sources.
 */
import { existsSync, realpathSync } from "node:fs";
import { appendFile, cp, glob, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { build, type Plugin } from "esbuild";
import type { Definition } from "./host/kinds/definition.ts";
import { leftOut } from "./left-out.ts";
import { sbomOf } from "./sbom.ts";
import { type SourceMapJson, sourcesOf, stackMapOf } from "./stack-map.ts";

const root = join(import.meta.dirname, "..");
const entry = join(root, "functions/host/main.ts");
const packages = realpathSync(join(root, "node_modules"));

/**
 * Bundles the function into the folder, with changes to its source where `plugins` make some. Throws where there is
 * no such function, or where it does not build.
 */
export async function bundle(
  name: string,
  folder: string,
  plugins: readonly Plugin[] = [],
  { debug = false } = {},
): Promise<void> {
  const index = join(root, "functions", name, "index.ts");
  const { default: definition }: { default?: Definition } = await import(index);
  const { metafile } = await build({
    entryPoints: [entry],
    outfile: join(folder, "main.js"),
    bundle: true,
    minifyWhitespace: !debug,
    minifySyntax: !debug,
    // Names of classes and functions are in logs and profiles. esbuild's keepNames calls a helper for each closure.
    minifyIdentifiers: false,
    // Node prints the line of an error that nothing catches.
    ...(!debug && { lineLimit: 200 }),
    inject: [join(root, "functions/host/stacks.ts")],
    // For profilers; stacks have a map of their own.
    sourcemap: debug ? "external" : true,
    sourcesContent: debug,
    platform: "node",
    // As ESM, each import of a built-in module runs all of its exports: node:http's load fetch.
    format: "cjs",
    target: "node24",
    tsconfig: join(root, "tsconfig.json"),
    define: { "import.meta.dirname": "__dirname", "import.meta.url": "urlOfBundle" },
    banner: { js: 'const urlOfBundle = require("node:url").pathToFileURL(__filename).href;' },
    legalComments: "external",
    logLevel: "warning",
    absWorkingDir: root,
    metafile: true,
    plugins: [...plugins, onlyFunction(name), leftOut(definition), packageFiles(folder)],
  });
  const sbom = await sbomOf(name, Object.keys(metafile.inputs));
  await writeFile(join(folder, "sbom.cdx.json"), JSON.stringify(sbom));
  const map = JSON.parse(await readFile(join(folder, "main.js.map"), "utf8"));
  const places = { folder, root };
  await writeFile(join(folder, "main.js.stacks"), JSON.stringify(stackMapOf(map, places)));
  if (debug) await putMapInside(folder, { ...map, sources: sourcesOf(map, places) });
  // Without it Node looks for one in every folder above.
  await writeFile(join(folder, "package.json"), '{"type":"commonjs"}');
  await putPage(name, folder);
}

interface MapWithContent extends SourceMapJson {
  readonly sourcesContent: readonly string[];
}

/**
 * A debugger far away cannot read a file beside the bundle. Sources lie as if the repository were the bundle's folder;
 * those of packages are left to the debugger's own node_modules.
 */
async function putMapInside(folder: string, map: MapWithContent): Promise<void> {
  const sourcesContent = map.sourcesContent.map((text, i) =>
    map.sources[i]?.includes("node_modules/") ? null : text,
  );
  const bytes = Buffer.from(JSON.stringify({ ...map, sourcesContent })).toString("base64");
  const url = `data:application/json;base64,${bytes}`;
  await appendFile(join(folder, "main.js"), `//# sourceMappingURL=${url}\n`);
  await rm(join(folder, "main.js.map"));
}

/** A page is built here, for what builds it is not in an image. */
async function putPage(name: string, folder: string): Promise<void> {
  const builder = join(root, "functions", name, "build-page.ts");
  if (!existsSync(builder)) return;
  const { buildPage }: { buildPage(): Promise<ReadonlyMap<string, { bytes: Uint8Array }>> } =
    await import(builder);
  const page = join(folder, builtPage);
  await mkdir(page, { recursive: true });
  for (const [path, { bytes }] of await buildPage()) await writeFile(join(page, path), bytes);
}

/** Where ui looks for its page, beside its code. */
const builtPage = "built-page";

/** The host finds a function by its folder: in a bundle there is this one. */
function onlyFunction(name: string): Plugin {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
  const dynamic = "`../${target}/index.ts`";
  return {
    name: "only-function",
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]host[\\/]main\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        const parts = source.split(`import(${dynamic})`);
        if (parts.length !== 2) throw new Error(`${path} has no import(${dynamic})`);
        return { contents: parts.join(`import("../${name}/index.ts")`), loader: "ts" };
      });
    },
  };
}

/** Some packages read .proto files from beside their code: these go beside the bundle. */
function packageFiles(folder: string): Plugin {
  return {
    name: "package-files",
    setup({ onLoad }) {
      const copied = new Set<string>();
      onLoad({ filter: /node_modules[\\/].*\.js$/ }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        if (!source.includes("__dirname") || !/\.proto['"`]/.test(source)) return undefined;
        const own = relative(packages, dirname(path)).split(sep).join("/");
        const owner = own
          .split("/")
          .slice(0, own.startsWith("@") ? 2 : 1)
          .join("/");
        if (!copied.has(owner)) {
          copied.add(owner);
          await copyProtos(join(packages, owner), join(folder, "packages", owner));
        }
        return {
          contents: source.replaceAll("__dirname", `(__dirname + "/packages/${own}")`),
          loader: "js",
        };
      });
    },
  };
}

async function copyProtos(from: string, to: string): Promise<void> {
  const exclude = ["**/node_modules/**", "**/sample/**", "**/test/**"];
  for await (const path of glob("**/*.proto", { cwd: from, exclude })) {
    await cp(join(from, path), join(to, path));
  }
}

if (process.argv[1] === import.meta.filename) {
  const [name, folder, option] = process.argv.slice(2);
  if (!name || !folder || (option && option !== "--debug")) {
    throw new Error("node functions/bundle.ts FUNCTION FOLDER [--debug]");
  }
  await bundle(name, folder, [], { debug: option === "--debug" });
}
