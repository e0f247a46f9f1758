import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { isGenerated } from "./written.ts";

/** A YAML file that is there. */
export interface Found {
  readonly generated: boolean;
  readonly objects: readonly { kind?: string; metadata?: { name?: string } }[];
}

/** Every .yaml file in these folders of the root, by its path there. */
export async function foundBelow(
  root: string,
  folders: readonly string[],
): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const folder of folders) {
    for (const name of (await readdir(join(root, folder), { recursive: true })).sort()) {
      if (!name.endsWith(".yaml")) continue;
      const text = await readFile(join(root, folder, name), "utf8");
      const objects = parseAllDocuments(text).map((document) => document.toJS() ?? {});
      found.set(`${folder}/${name}`, { generated: isGenerated(text), objects });
    }
  }
  return found;
}
