/** How large what an image adds to its base is. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Built } from "./built.ts";
import { columns } from "./columns.ts";

export interface Size {
  readonly name: string;
  readonly bundleKib: number;
  /** With source map, compile cache and all else. */
  readonly layerKib: number;
}

export function sizesOf(built: Built, names: readonly string[]): Size[] {
  return names.map((name) => {
    const folder = built.folderOf(name);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true });
    const bytes = files
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => statSync(join(parentPath, name)).size);
    return {
      name,
      bundleKib: statSync(join(folder, "main.js")).size / 1_024,
      layerKib: bytes.reduce((sum, one) => sum + one, 0) / 1_024,
    };
  });
}

export function sizeLines(sizes: readonly Size[]): string[] {
  return [
    "Size of a function, KiB",
    ...columns([
      ["function", "main.js", "layer (with map and compile cache)"],
      ...sizes.map(({ name, bundleKib, layerKib }) => [
        name,
        bundleKib.toFixed(0),
        layerKib.toFixed(0),
      ]),
    ]),
  ];
}
