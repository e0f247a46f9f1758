import { type Answer, askGateway, pathOf } from "./ask.ts";
import { button, element, find, setText } from "./dom.ts";
import { milliseconds } from "./format.ts";
import { createSteadyLoad } from "./steady-load.ts";
import { createTargetForm, type TargetForm } from "./target-form.ts";

export type Sender = Pick<TargetForm, "update">;

export interface SenderOptions {
  readonly gateway: string;
  /** Headers that ask for faults. */
  faults(): Record<string, string>;
  onAnswer(answer: Answer): void;
  onOpenTrace(traceId: string): void;
  say(text: string): void;
}

/** Sends requests to the gateway, one by one or steadily, and shows how the last one ended. */
export function createSender(options: SenderOptions): Sender {
  const { gateway, faults, onAnswer, onOpenTrace, say } = options;
  const form = find("send-form", HTMLFormElement);
  const result = find("result", HTMLElement);
  const tally = find("tally", HTMLElement);
  const target = createTargetForm(gateway);
  const counts = { sent: 0, failed: 0 };

  const send = async (): Promise<Answer> => {
    const protocol = String(new FormData(form).get("protocol") ?? "declared");
    counts.sent += 1;
    const headers = { "x-call-protocol": protocol, ...faults() };
    const answer = await askGateway(gateway, target.request(), headers);
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
  return { update: target.update };
}

function spokenResult(answer: Answer): string {
  const { status, tookMs, problem } = answer;
  if (!problem) return `${summaryOf(answer)} in ${milliseconds(tookMs)}`;
  return `${status === 0 ? "" : status} ${problem.title}: ${problem.detail}`;
}

/** "7 greetings", "201", or "204 without content". */
function summaryOf({ status, greetings, text }: Answer): string {
  if (greetings) return `${greetings.length} greetings`;
  return text === "" ? `${status} without content` : String(status);
}

function resultOf(answer: Answer, onOpenTrace: (traceId: string) => void): Node[] {
  const { status, tookMs, traceId, greetings, text, problem } = answer;
  const line = element("p", { class: "result-line" });
  const code = element(
    "b",
    { class: problem ? "bad" : "good" },
    status === 0 ? "No answer" : String(status),
  );
  const what = problem?.title ?? (greetings && `${greetings.length} greetings`);
  line.append(code, status === 0 || !what ? " " : ` ${what} `, `in ${milliseconds(tookMs)} `);
  if (traceId) line.append(button("Show its trace", () => onOpenTrace(traceId), { class: "link" }));
  if (!problem) return text === "" ? [line] : [line, answerText(text)];
  const { hops, reason } = pathOf(problem.detail);
  const path = element("ol", { class: "hops", "aria-label": "Path of hops" });
  path.append(...hops.map((hop) => element("li", {}, hop)));
  return [line, ...(hops.length > 0 ? [path] : []), element("p", { class: "reason" }, reason)];
}

/** A person reads the begin of it; a page that draws megabytes stands still. */
const mostCharacters = 4_000;

function answerText(text: string): HTMLElement {
  const shown = text.length > mostCharacters ? `${text.slice(0, mostCharacters)} …` : text;
  const box = element("pre", { class: "answer-text", "aria-label": "Body of the answer" }, shown);
  box.tabIndex = 0; // so that a keyboard can scroll it
  return box;
}
