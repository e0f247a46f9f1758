import { type Answer, askGateway, pathOf } from "./ask.ts";
import { button, element, find, setText } from "./dom.ts";
import { milliseconds } from "./format.ts";
import { createSteadyLoad } from "./steady-load.ts";

export interface SenderOptions {
  readonly gateway: string;
  /** Headers that ask for faults. */
  faults(): Record<string, string>;
  onAnswer(answer: Answer): void;
  onOpenTrace(traceId: string): void;
  say(text: string): void;
}

/** Sends requests to the gateway, one by one or steadily, and shows how the last one ended. */
export function createSender({ gateway, faults, onAnswer, onOpenTrace, say }: SenderOptions): void {
  const form = find("send-form", HTMLFormElement);
  const result = find("result", HTMLElement);
  const tally = find("tally", HTMLElement);
  const counts = { sent: 0, failed: 0 };

  const send = async (): Promise<Answer> => {
    const protocol = String(new FormData(form).get("protocol") ?? "declared");
    counts.sent += 1;
    const answer = await askGateway(gateway, { "x-call-protocol": protocol, ...faults() });
    if (answer.problem) counts.failed += 1;
    setText(tally, `${counts.sent} sent, ${counts.failed} failed`);
    result.replaceChildren(...resultOf(answer, onOpenTrace));
    result.dataset.ok = String(!answer.problem);
    onAnswer(answer);
    return answer;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    setText(result, "Sent, waiting for the answer");
    result.dataset.ok = "";
    const answer = await send();
    say(spokenResult(answer));
  });
  find("send", HTMLButtonElement).disabled = false;
  createSteadyLoad(async () => {
    await send();
  }, say);
}

function spokenResult({ status, tookMs, greetings, problem }: Answer): string {
  if (!problem) return `${greetings.length} greetings in ${milliseconds(tookMs)}`;
  return `${status === 0 ? "" : status} ${problem.title}: ${problem.detail}`;
}

function resultOf(answer: Answer, onOpenTrace: (traceId: string) => void): Node[] {
  const { status, tookMs, traceId, greetings, problem } = answer;
  const line = element("p", { class: "result-line" });
  const code = element(
    "b",
    { class: problem ? "bad" : "good" },
    status === 0 ? "No answer" : String(status),
  );
  const what = problem ? problem.title : `${greetings.length} greetings`;
  line.append(code, ` ${status === 0 ? "" : what} in ${milliseconds(tookMs)} `);
  if (traceId) line.append(button("Show its trace", () => onOpenTrace(traceId), { class: "link" }));
  if (!problem) return [line];
  const { hops, reason } = pathOf(problem.detail);
  const path = element("ol", { class: "hops", "aria-label": "Path of hops" });
  path.append(...hops.map((hop) => element("li", {}, hop)));
  return [line, ...(hops.length > 0 ? [path] : []), element("p", { class: "reason" }, reason)];
}
