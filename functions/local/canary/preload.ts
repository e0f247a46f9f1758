/** Loaded before a canary's process: its host finds the function in `folder`, by this file's own query. */
import { resolveAsOurs } from "./folder.ts";

const { searchParams } = new URL(import.meta.url);
const own = new URL(`../../${searchParams.get("of")}/index.ts`, import.meta.url);
resolveAsOurs(searchParams.get("folder") ?? "", own);
