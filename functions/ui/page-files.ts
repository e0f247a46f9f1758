import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { RouteAnswer } from "#host";

interface PageFile {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

/** A file of the page, as this request is to be answered: whole, gzipped, or "not modified"; undefined where there is none. */
export type Page = (path: string, headers: IncomingHttpHeaders) => RouteAnswer | undefined;

/** Where an image has the page, beside its code; functions/bundle.ts puts it there. */
const builtPage = "built-page";

/** By a name that is known at run time only: what builds the page is no part of an image. */
const builder = new URL("./build-page.ts", import.meta.url).href;

/** The page that was built with the image, else the page built now. */
export async function loadPage(folder = join(import.meta.dirname, builtPage)): Promise<Page> {
  const files = (await readBuilt(folder)) ?? (await build());
  const answers = new Map([...files].map(([path, file]) => [path, answersFor(file)]));
  return (path, headers) => answers.get(path)?.(headers);
}

interface PageBuilder {
  buildPage(): Promise<ReadonlyMap<string, PageFile>>;
  endBuilder(): Promise<void>;
}

async function build(): Promise<ReadonlyMap<string, PageFile>> {
  const { buildPage, endBuilder }: PageBuilder = await import(builder);
  try {
    return await buildPage();
  } finally {
    await endBuilder();
  }
}

async function readBuilt(folder: string): Promise<Map<string, PageFile> | undefined> {
  const names = await readdir(folder).catch(() => undefined);
  if (!names) return undefined;
  const files = names.map(async (name) => {
    const contentType = contentTypes[extname(name)] ?? "application/octet-stream";
    return [name, { bytes: await readFile(join(folder, name)), contentType }] as const;
  });
  return new Map(await Promise.all(files));
}

/** Of the kinds of file that a page is built of. */
const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

function answersFor({
  bytes,
  contentType,
}: PageFile): (headers: IncomingHttpHeaders) => RouteAnswer {
  const whole = Buffer.from(bytes);
  const zipped = gzipSync(whole);
  const digest = createHash("sha256").update(whole).digest("base64url").slice(0, 22);
  // Weak: the same for both encodings.
  const etag = `W/"${digest}"`;
  // Asked about each time, and sent only when it is another: a release is seen at once.
  const common = { etag, "cache-control": "no-cache", vary: "accept-encoding" };
  return (headers) => {
    const known = (headers["if-none-match"] ?? "").split(",").map((tag) => tag.trim());
    if (known.includes(etag)) return { status: 304, headers: common };
    const gzip = /\bgzip\b/.test(String(headers["accept-encoding"] ?? ""));
    return {
      status: 200,
      headers: {
        ...common,
        "content-type": contentType,
        ...(gzip && { "content-encoding": "gzip" }),
      },
      body: gzip ? zipped : whole,
    };
  };
}
