/** Whether an answer is the one that was asked for: what is wrong is not counted, however fast it was. */
import { judge, type RawAnswer } from "../chaos/answer.ts";

/** The seven greetings in their order; the greetings of a chain in theirs; or any answer with status 200. */
export type Expected = "greetings" | "status" | { readonly services: readonly string[] };

/** What is wrong with it; undefined for a right one. */
export function judgeAs(expected: Expected, answer: RawAnswer): string | undefined {
  if (expected === "status") {
    return answer.status === 200 ? undefined : `${answer.status}: ${answer.text.slice(0, 200)}`;
  }
  if (expected === "greetings") {
    const verdict = judge(answer);
    return verdict.kind === "right" ? undefined : verdict.detail;
  }
  try {
    const { greeting }: { greeting: { service: string }[] } = JSON.parse(answer.text);
    const services = greeting.map(({ service }) => service);
    if (services.join() === expected.services.join()) return undefined;
  } catch {
    // no greetings: said below
  }
  return `${answer.status}: not the greetings of ${expected.services.join()}: ${answer.text.slice(0, 200)}`;
}
