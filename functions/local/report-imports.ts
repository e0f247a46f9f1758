/**
 * Loaded before a function in `npm run dev`: sends our runner the path of every file of ours that it loads.
 * Asking Node gives the true graph: type imports and modules that this function never needs are
 * not in it, dynamic imports are.
 */
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    if (found.url.startsWith("file:") && !found.url.includes("/node_modules/")) {
      process.send?.(fileURLToPath(found.url));
    }
    return found;
  },
});
