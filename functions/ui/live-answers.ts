import type { IncomingHttpHeaders } from "node:http";
import type { Call, RouteAnswer } from "#host";
import type { LiveName } from "./live-contract.ts";

export interface LiveRequest {
  readonly call: Call;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** What can be answered live here; the rest is not found. */
export type LiveAnswers = Partial<Record<LiveName, (request: LiveRequest) => Promise<RouteAnswer>>>;
