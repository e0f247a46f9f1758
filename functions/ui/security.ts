import type { IncomingHttpHeaders } from "node:http";
import { HostError } from "#host";

/** Headers of every file of the page: it may load from here only, and send requests to the gateway. */
export function pageHeaders(gateway: string): Record<string, string> {
  const policy = [
    "default-src 'self'",
    `connect-src 'self' ${gateway}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  };
}

/**
 * The gateway, as a browser reaches it: as it is configured, else beside the page: "api." where the page's name has
 * "ui.", on the same port and scheme. Behind a DomainMapping it has to be configured: Knative puts the route's own name
 * in place of the one that the browser asked.
 */
export function gatewayOf(headers: IncomingHttpHeaders, configured: string | undefined): string {
  if (configured) return configured;
  const forwarded = headers["x-forwarded-proto"];
  const scheme = forwarded === "https" ? "https" : "http";
  // It goes into a header of ours: nothing but a host and a port is taken from theirs.
  const host = /^[\w.-]+(:\d{1,5})?$/.test(headers.host ?? "") ? (headers.host ?? "") : "localhost";
  return `${scheme}://${host.replace(/^ui\./, "api.")}`;
}

/**
 * Throws for a request that another site's page may have sent: one that changes something, or shows a log. A browser
 * says where it comes from; what says nothing is no page, and has to send JSON, which no form can. A page whose name was
 * made to lead here (DNS rebinding) is known by that name.
 */
export function refuseForeignPages(headers: IncomingHttpHeaders, changes: boolean): void {
  const { host = "", origin } = headers;
  const refuse = (why: string) => new HostError("ERR_BAD_REQUEST", `not from here: ${why}`);
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/.test(host)) throw refuse(`Host ${host}`);
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && (changes || site !== "none")) {
    throw refuse(`Sec-Fetch-Site ${site}`);
  }
  if (origin !== undefined && origin !== `http://${host}`) throw refuse(`Origin ${origin}`);
  const isJson = /^application\/json\b/i.test(headers["content-type"] ?? "");
  if (changes && site === undefined && !isJson)
    throw refuse("Content-Type is not application/json");
}
