/** A name that can be a part of an address: of a function, of a namespace. */
export const namePattern = /^[a-z]([a-z\d-]*[a-z\d])?$/;

/** What a driver would refuse later, or read otherwise than it was meant. */
export function urlProblem(url: string): string | undefined {
  if (/[#\s]/.test(url)) return "a # or a blank in the user or password is written as %23 or %20";
  // Of several hosts, which only MongoDB's URLs have, the first stands for all.
  const first = url.replace(/^(mongodb[^@,]*@?[^,/]*)(,[^/?]*)/, "$1");
  if (!URL.canParse(first)) {
    return "it is no URL: percent-encode what is special in user and password, and give a port from 1 to 65535";
  }
  return new URL(first).hostname ? undefined : "a host is missing";
}

/** "host:port", port 80 where none is given; undefined for anything else. */
export function readAddress(text: string): string | undefined {
  const [, port = 80] = /^(?:\[[\da-f:]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(text) ?? ["", 0];
  if (!(Number(port) >= 1 && Number(port) <= 65_535)) return undefined;
  return /:\d+$/.test(text) ? text : `${text}:80`;
}

/** A part of the calls to a function, and where it goes. */
export interface Share {
  /** "host:port". */
  readonly address: string;
  readonly percent: number;
}

/**
 * Reads "host" or "host:port", which gets all calls, or several with their percent: "a:80=90,b:80=10". Undefined for
 * anything else. A port that is left out is 80.
 */
export function sharesOf(text: string): Share[] | undefined {
  const parts = text.split(",").map((part) => part.trim());
  const shares = parts.flatMap((part): Share[] => {
    const [where = "", percent = parts.length === 1 ? "100" : ""] = part.split(/=(.*)/s, 2);
    const address = readAddress(where);
    return address && /^\d{1,3}$/.test(percent) ? [{ address, percent: Number(percent) }] : [];
  });
  const whole = shares.reduce((sum, { percent }) => sum + percent, 0);
  return shares.length === parts.length && whole === 100 ? shares : undefined;
}

/** What `sharesOf` reads. */
export function writeShares(shares: readonly Share[]): string {
  if (shares.length === 1) return shares[0]?.address ?? "";
  return shares.map(({ address, percent }) => `${address}=${percent}`).join();
}
