/** The list of packages in a bundle, in CycloneDX 1.5: what an image scanner reads, and cannot see in one bundled file. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly license?: string;
}

const root = join(import.meta.dirname, "..");

/**
 * `files` are those that went into the bundle, relative to the repository. From the lock file, and not by `npm sbom
 * --omit dev`: that leaves out packages which a development dependency needs as well (npm 11.19).
 */
export async function sbomOf(name: string, files: Iterable<string>): Promise<object> {
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  const packages: Readonly<Record<string, Locked>> = lock.packages;
  const folders = new Set(
    // From the first node_modules on: that folder may be a link to one elsewhere.
    [...files].flatMap(
      (file) => /node_modules\/(.*node_modules\/)?(@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [],
    ),
  );
  const components = [...folders].sort().map((folder) => {
    const known = packages[folder];
    if (!known) throw new Error(`package-lock.json has no ${folder}`);
    return componentOf(folder.replace(/^.*node_modules\//, ""), known);
  });
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component: { type: "application", name, version: lock.version } },
    components,
  };
}

function componentOf(name: string, { version, integrity, license }: Locked) {
  const [, digest] = /^sha512-(.+)$/.exec(integrity ?? "") ?? [];
  const content = digest && Buffer.from(digest, "base64").toString("hex");
  return {
    type: "library",
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    ...(license && { licenses: [{ expression: license }] }),
    ...(content && { hashes: [{ alg: "SHA-512", content }] }),
  };
}
