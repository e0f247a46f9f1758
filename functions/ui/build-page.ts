import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { build, stop } from "esbuild";

export interface PageFile {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

const folder = join(import.meta.dirname, "page");

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * The page as files by their path, "index.html" being the page itself: all that it needs, from its own origin. Scripts
 * and styles are files, never inline, so a policy of `default-src 'self'` suffices, with the gateway in `connect-src`.
 */
export async function buildPage(): Promise<ReadonlyMap<string, PageFile>> {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: ["app.ts", "first-paint.ts", "app.css"],
    outdir: folder,
    write: false,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2024", "chrome123", "firefox128", "safari18"],
    tsconfig: join(folder, "tsconfig.json"),
    legalComments: "inline",
    logLevel: "warning",
  });
  const built = outputFiles.map(({ path, contents }) => [basename(path), contents] as const);
  const copied = ["index.html", "icon.svg"].map(
    async (name) => [name, await readFile(join(folder, name))] as const,
  );
  const files = [...built, ...(await Promise.all(copied))];
  return new Map(
    files.map(([name, bytes]) => {
      const contentType = contentTypes[extname(name)] ?? "application/octet-stream";
      return [name, { bytes, contentType }];
    }),
  );
}

/** Ends esbuild, which otherwise stays as a process of 46 MiB. Nothing else may be building. */
export async function endBuilder(): Promise<void> {
  await stop();
}
