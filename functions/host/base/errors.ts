/**
 * The one table of everything that can go wrong: what a client sees over HTTP and gRPC, and whether
 * trying again can help (the bridge acts on `retryable` alone). gRPC numbers are those of
 * https://grpc.io/docs/guides/status-codes/; 499 is nginx's "client closed request".
 */
export const errorTable = {
  ERR_BAD_REQUEST: { http: 400, grpc: 3, retryable: false, title: "Bad Request" },
  ERR_NOT_FOUND: { http: 404, grpc: 5, retryable: false, title: "Not Found" },
  ERR_METHOD: { http: 405, grpc: 12, retryable: false, title: "Method Not Allowed" },
  ERR_MEDIA_TYPE: { http: 415, grpc: 3, retryable: false, title: "Unsupported Media Type" },
  ERR_TOO_LARGE: { http: 413, grpc: 8, retryable: false, title: "Content Too Large" },
  ERR_CANCELLED: { http: 499, grpc: 1, retryable: false, title: "Client Closed Request" },
  ERR_INTERNAL: { http: 500, grpc: 13, retryable: false, title: "Internal Error" },
  ERR_CONFIG: { http: 500, grpc: 9, retryable: false, title: "Wrong Configuration" },
  ERR_ANSWER: { http: 502, grpc: 2, retryable: false, title: "Bad Answer from a Callee" },
  ERR_CALLEE: { http: 503, grpc: 14, retryable: true, title: "Callee Unavailable" },
  ERR_STORE: { http: 503, grpc: 14, retryable: true, title: "Database Unavailable" },
  ERR_PUBLISH: { http: 503, grpc: 14, retryable: true, title: "Broker Unavailable" },
  ERR_OVERLOAD: { http: 503, grpc: 14, retryable: true, title: "Too Many Requests at Once" },
  ERR_DRAINING: { http: 503, grpc: 14, retryable: true, title: "Shutting Down" },
  ERR_DEADLINE: { http: 504, grpc: 4, retryable: true, title: "Deadline Exceeded" },
} as const;

export type ErrorCode = keyof typeof errorTable;

/** Media type of an error over HTTP (RFC 9457). */
export const problemType = "application/problem+json";

/** An error body over HTTP: RFC 9457's members, with our stable `code` as an extension. */
export interface Problem {
  title: string;
  status: number;
  /** What happened, led by the path of hops: "service-a > service-b: …". */
  detail: string;
  code: ErrorCode;
}

export interface HostErrorOptions {
  readonly cause?: unknown;
  readonly http?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * An error with a stable `code`; match on that, not on the class or the text. Its message goes over
 * the wire, so it names functions, queues and addresses, and never holds a secret; `cause` stays here.
 */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly code: ErrorCode;
  readonly http: number;
  /** What the answer over HTTP says besides: `allow`, say. */
  readonly headers: Readonly<Record<string, string>>;

  /** `http` is the status that this function answers, where it is not the code's own; callers answer the code's. */
  constructor(code: ErrorCode, message: string, options: HostErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.http = options.http ?? errorTable[code].http;
    this.headers = options.headers ?? {};
  }

  get grpc(): number {
    return errorTable[this.code].grpc;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  /** Anything that was thrown, as a HostError. The text of an error that is not ours stays away from clients. */
  static from(thrown: unknown): HostError {
    if (thrown instanceof HostError) return thrown;
    return new HostError("ERR_INTERNAL", "failed unexpectedly, its log says how", {
      cause: thrown,
    });
  }

  /** The same error, seen from the function in which it happened. */
  at(name: string): HostError {
    return new HostError(this.code, `${name}: ${this.message}`, { cause: this });
  }

  /** The same error of a callee, seen from its caller. */
  via(name: string): HostError {
    return new HostError(this.code, `${name} > ${this.message}`, { cause: this });
  }

  toProblem(): Problem {
    const { title } = errorTable[this.code];
    return { title, status: this.http, detail: this.message, code: this.code };
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(errorTable, value);
}

/** What an HTTP status means when the answer does not name one of our codes (a proxy's, say). */
export function codeOfHttp(status: number): ErrorCode {
  if (status === 504 || status === 408) return "ERR_DEADLINE";
  if (status === 429 || status === 502 || status === 503) return "ERR_CALLEE";
  return "ERR_ANSWER";
}

/** What a gRPC status means when the answer does not name one of our codes. */
export function codeOfGrpc(status: number): ErrorCode {
  if (status === errorTable.ERR_DEADLINE.grpc) return "ERR_DEADLINE";
  if (status === errorTable.ERR_CALLEE.grpc) return "ERR_CALLEE";
  if (status === errorTable.ERR_CANCELLED.grpc) return "ERR_CANCELLED";
  return "ERR_ANSWER";
}

/** The reason of a failure in a few words: the innermost message, with a system error's code. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0)
    return reasonOf(thrown.errors[0]);
  if (!(thrown instanceof Error)) return String(thrown);
  if (thrown.cause instanceof Error) return reasonOf(thrown.cause);
  return thrown.message || thrown.name;
}
