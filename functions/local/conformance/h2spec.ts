/** h2spec's cases that a function does not pass, and why. Any other that fails is a fault. */
const nghttp2 =
  "nghttp2, which Node stands on, ignores frames of a stream that it has closed: they may have been under way (RFC 9113, 5.1)";
const priorities = "RFC 9113, 5.3.2 gave priorities up; nghttp2 ignores their frames";
const noData =
  "h2spec's request is no call of gRPC: its answer is 415, which has headers and no data";

/** By h2spec's package and title. */
export const explained: Readonly<Record<string, string>> = {
  "generic/2 Sends a WINDOW_UPDATE frame on half-closed (remote) stream": noData,
  "generic/2 Sends a PRIORITY frame on half-closed (remote) stream": noData,
  "http2/3.5 Sends invalid connection preface":
    "on the shared port that is a request of HTTP/1.1, answered with 400 before the connection is closed",
  "http2/5.1 closed: Sends a DATA frame after sending RST_STREAM frame": nghttp2,
  "http2/5.1 closed: Sends a HEADERS frame after sending RST_STREAM frame": nghttp2,
  "http2/5.1 closed: Sends a DATA frame": nghttp2,
  "http2/5.1 closed: Sends a HEADERS frame": nghttp2,
  "http2/5.1.1 Sends stream identifier that is numerically smaller than previous":
    "nghttp2 ignores it: it does not know a number that was never used from a stream that it has closed",
  "http2/5.1.2 Sends HEADERS frames that causes their advertised concurrent stream limit to be exceeded":
    "its requests are answered with 415 at once, so that there are never so many at a time; of calls that stay open the 1,001st is refused (host/grpc/in-time.test.ts)",
  "http2/5.3.1 Sends PRIORITY frame that depend on itself": priorities,
  "http2/6.3 Sends a PRIORITY frame with 0x0 stream identifier": priorities,
  "http2/6.7 Sends a PING frame with ACK":
    "Node ends a connection that acknowledges a ping which was not sent (HandlePingFrame in its node_http2.cc)",
  "http2/6.9.1 Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream":
    "nghttp2 ends the connection with FLOW_CONTROL_ERROR, and not the stream alone; it does so with an open call as well",
  "http2/8.1.2.1 Sends a HEADERS frame that contains a pseudo-header field as trailers":
    "the request is answered with 415 before its trailers come (RFC 9113, 8.1), or after: it may pass",
};

export interface Case {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
}

/** Of its report in JUnit's format. */
export function casesOf(report: string): Case[] {
  const found = report.matchAll(
    /<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  );
  return [...found].map(([, section = "", title = "", inner = ""]) => ({
    name: `${section} ${title.replaceAll("&#39;", "'").replaceAll("&#34;", '"')}`,
    outcome: /<error|<failure/.test(inner)
      ? "failed"
      : inner.includes("<skipped")
        ? "skipped"
        : "passed",
  }));
}

/** Failing cases without an explanation, and those explained that pass by now. */
export function compare(cases: readonly Case[]): { unexpected: string[]; outdated: string[] } {
  const failed = cases.filter(({ outcome }) => outcome === "failed").map(({ name }) => name);
  const passed = cases.filter(({ outcome }) => outcome === "passed").map(({ name }) => name);
  return {
    unexpected: failed.filter((name) => !(name in explained)),
    outdated: Object.keys(explained).filter((name) => passed.includes(name)),
  };
}
