import type { Readable } from "node:stream";

/** What a route answers over HTTP. */
export interface RouteAnswer {
  /** 200 when there is a body, else 204. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Sent as JSON, unless it is bytes already. A stream goes on without a deadline and is destroyed
   * when its client leaves; its maker ends it when draining begins.
   */
  readonly body?: object | Buffer | Readable;
}
