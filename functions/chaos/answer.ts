/** What a client was told, judged without looking at anything but the answer. */
import type { Greeting } from "#proto";

export type Verdict =
  | { kind: "right"; greetings: readonly Greeting[] }
  /** 503 or 504 with the path of hops: the client knows that it failed, and where. */
  | { kind: "refused"; detail: string }
  /** The connection broke before there was an answer. */
  | { kind: "cut"; detail: string }
  | { kind: "wrong"; detail: string };

export interface RawAnswer {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}

const expected = [
  ["Service-D", "Shalom, from Service-D!"],
  ["Service-G", "Ahlan, from Service-G!"],
  ["Service-H", "Ciao, from Service-H!"],
  ["Service-E", "Bonjour, de Service-E!"],
  ["Service-B", "Namaste, from Service-B!"],
  ["Service-C", "Konnichiwa, from Service-C!"],
  ["Service-A", "Hello, from Service-A!"],
] as const;

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
/** "service-a > service-b: what happened", or the one hop that failed. */
const path = /^[a-z][a-z\d-]*( > [a-z][a-z\d-]*)*: ./;

export function judge({ status, type, text }: RawAnswer): Verdict {
  const wrong = (why: string): Verdict => ({
    kind: "wrong",
    detail: `${status}: ${why}: ${text.slice(0, 200)}`,
  });
  let body: { greeting?: Greeting[]; detail?: unknown };
  try {
    body = JSON.parse(text);
  } catch {
    return wrong("not JSON");
  }
  if (status === 200) {
    const greetings = body.greeting ?? [];
    const said = greetings.map(({ service, message }) => [service, message]);
    if (JSON.stringify(said) !== JSON.stringify(expected)) return wrong("not the seven greetings");
    const whole = greetings.every(
      ({ id, created }) => uuid.test(id) && !Number.isNaN(Date.parse(created)),
    );
    return whole ? { kind: "right", greetings } : wrong("a greeting without an id or a time");
  }
  if (status !== 503 && status !== 504) return wrong("neither 200 nor 503 nor 504");
  if (!type?.startsWith("application/problem+json")) return wrong(`a refusal of type ${type}`);
  const detail = String(body.detail);
  return path.test(detail) ? { kind: "refused", detail } : wrong("a refusal without its path");
}
