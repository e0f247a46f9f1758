/** Paths as Envoy hands them on, by meshConfig.pathNormalization: functions/test/outside.test.ts asks a real Envoy too. */
export const normalizations = [
  "NONE",
  "BASE",
  "MERGE_SLASHES",
  "DECODE_AND_MERGE_SLASHES",
] as const;
export type Normalization = (typeof normalizations)[number];

/** The path as policies and the function see it; undefined for a request that Envoy answers itself. */
export function normalized(target: string, by: Normalization): string | undefined {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, "");
  // A fragment is refused, and so is a zero byte, written in any way.
  if (!path.startsWith("/") || /#|%00/.test(path)) return undefined;
  if (by === "NONE") return path;
  const [written = "", query] = path.split(/(\?.*)/s, 2);
  const decoded = by === "DECODE_AND_MERGE_SLASHES" ? written.replace(/%2f|%5c/gi, "/") : written;
  const unreserved = decoded.replace(/%([\da-f]{2})/gi, (text, hex) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[\w.~-]/.test(character) ? character : text;
  });
  // Envoy takes a segment of dots for one whatever follows its semicolon.
  const { pathname } = new URL(`http://x${unreserved.replace(/\/(\.\.?);[^/]*(?=\/|$)/g, "/$1")}`);
  return `${by === "BASE" ? pathname : pathname.replace(/\/+/g, "/")}${query ?? ""}`;
}

/** Ways to write a path that is refused, as an attacker tries them: all that might be read as it, and some that are it. */
export function writtenOtherwise(path: string): string[] {
  const name = path.slice(1);
  const encoded = `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
  return [
    ...[path, `${path}?x=1`, `${path}?`, `${path}/`, `/${path}`, `/.${path}`, `/x/..${path}`],
    ...[`/${encoded}`, `/${encoded}?x=1`, `/%2f${name}`, `/%2e${path}`, `/x/%2e%2e${path}`],
    ...[
      `/x/..%2f${name}`,
      `/x/..%5c${name}`,
      `/x\\..\\${name}`,
      `/\\${name}`,
      `/x/..;${path}`,
      `/.;a=b${path}`,
    ],
    ...[path.toUpperCase(), `${path}%20`, `${path}%00`, `${path}%3Fx`, `${path}%23`, `${path};x`],
    ...[
      `${path}#x`,
      `http://x${path}`,
      `http://x/${path}`,
      `/http://x${path}`,
      `HTTP://x${path}?y`,
    ],
    ...[`/x/../..${path}`, `/%25${encoded.slice(1)}`, name, `.${path}`, "*"],
  ];
}
