import { registerHooks } from "node:module";
import { join, sep } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Lets the files of a folder, wherever it is, import `#host` and packages as those of this repository do. Where `inPlaceOf`
 * is a file, the folder's index.ts is loaded in its place.
 */
export function resolveAsOurs(folder: string, inPlaceOf?: URL): void {
  const inside = pathToFileURL(join(folder, sep)).href;
  const entry = new URL("index.ts", inside).href;
  registerHooks({
    resolve(specifier, context, next) {
      const isForeign = context.parentURL?.startsWith(inside) && !/^\.{0,2}\//.test(specifier);
      const found = next(
        specifier,
        isForeign ? { ...context, parentURL: import.meta.url } : context,
      );
      const url = found.url === inPlaceOf?.href ? entry : found.url;
      // A folder without a package.json would be asked for its kind of modules.
      const isTypeScript = url.startsWith(inside) && url.endsWith(".ts");
      return { ...found, url, ...(isTypeScript && { format: "module-typescript" }) };
    },
  });
}
