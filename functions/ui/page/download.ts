import { element } from "./dom.ts";

/** Hands a file to the reader, as if they had followed a link to it. */
export function download(name: string, content: Blob): void {
  const href = URL.createObjectURL(content);
  element("a", { href, download: name }).click();
  // The browser has taken what it needs by then; until then the address must stay.
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
