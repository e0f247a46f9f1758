interface MediaType {
  readonly essence: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const noType: MediaType = { essence: "", parameters: {} };

/** A media type's essence in lower case, and its parameters (RFC 9110, 8.3.1). Empty where there is none. */
export function parseMediaType(header: unknown): MediaType {
  // Of most requests.
  if (header === undefined || header === null) return noType;
  const [essence = "", ...rest] = String(header).split(";");
  const parameters = rest.flatMap((part) => {
    const [name = "", value = ""] = part.split(/=(.*)/s, 2).map((text) => text.trim());
    return name ? [[name.toLowerCase(), value.replace(/^"(.*)"$/, "$1")]] : [];
  });
  return { essence: essence.trim().toLowerCase(), parameters: Object.fromEntries(parameters) };
}

/** JSON by its name or by its suffix (RFC 6839). */
export function isJson(essence: string): boolean {
  return /^(application|text)\/json$|^[\w.+-]+\/[\w.+-]+\+json$/.test(essence);
}

/** Throws for a charset that is not known, and for bytes that are no text in it. */
export function decodeText(bytes: Buffer, charset = "utf-8"): string {
  return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(bytes);
}
