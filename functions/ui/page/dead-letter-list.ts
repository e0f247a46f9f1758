import { type DeadLetter, deliveriesOf, type LiveNode, queueName } from "../live.ts";
import { deadLettersOf, retryDeadLetters } from "./api.ts";
import { button, element, find, setText } from "./dom.ts";
import { dayAndTime } from "./format.ts";

export interface DeadLetterList {
  /** What is selected now, with its newest figures; undefined for what is no node. */
  show(node: LiveNode | undefined): void;
}

interface Row {
  /** All that it shows. */
  readonly key: string;
  readonly item: HTMLElement;
}

/** To list them, the broker hands out every one: a number that differs from the list is given time to settle. */
const refreshMs = 3_000;

/**
 * Dead letters of the selected queue, for a person to look at and to retry. Once they are shown, they stay until
 * something else is selected, so that the result of a retry can be read.
 */
export function createDeadLetterList(
  onOpenTrace: (traceId: string) => void,
  say: (text: string) => void,
): DeadLetterList {
  const section = find("dead-letters", HTMLElement);
  const title = find("dead-letters-title", HTMLElement);
  const count = find("dead-letters-count", HTMLElement);
  const result = find("dead-letters-result", HTMLElement);
  const list = find("dead-letters-list", HTMLElement);
  const drop = find("dead-letters-drop", HTMLElement);
  const all = find("dead-letters-retry", HTMLButtonElement);
  let queue = "";
  let rows: readonly Row[] = [];
  let total: number | undefined;
  let newest = 0;
  let due = 0;
  let busy = false;

  const load = async () => {
    const turn = ++newest;
    due = Number.POSITIVE_INFINITY;
    try {
      const { letters = [], total: found = 0 } = (await deadLettersOf(queue)) ?? {};
      if (turn !== newest) return;
      total = found;
      const shown = letters.length < found ? `${letters.length} of ${found}` : String(found);
      setText(count, found === 0 ? "none" : shown);
      render(letters);
    } catch (error) {
      if (turn === newest) setText(count, `cannot be listed: ${(error as Error).message}`);
    } finally {
      if (turn === newest) due = performance.now() + refreshMs;
    }
  };

  const retry = async (id?: string) => {
    if (busy) return;
    const of = queue;
    setBusy(true);
    const { text, failed } = await retryDeadLetters(of, id).then(
      (retried) => ({ text: `${retried} retried`, failed: false }),
      (error: Error) => ({ text: `Retry failed: ${error.message}`, failed: true }),
    );
    setBusy(false);
    say(text);
    if (of !== queue) return;
    setText(result, text);
    result.classList.toggle("bad", failed);
    await load();
  };
  // Not `disabled`, which would take the focus away.
  const setBusy = (next: boolean) => {
    busy = next;
    for (const one of [all, ...list.querySelectorAll("[data-retry]")]) {
      one.ariaDisabled = String(busy);
    }
  };
  all.addEventListener("click", () => void retry());

  const render = (letters: readonly DeadLetter[]) => {
    const gone = new Set(rows);
    const focused = rows.findIndex(({ item }) => item.contains(document.activeElement));
    rows = letters.map((letter) => {
      const key = JSON.stringify(letter);
      const kept = [...gone].find((row) => row.key === key);
      if (!kept) return { key, item: itemOf(letter) };
      gone.delete(kept);
      return kept;
    });
    const wasOnAll = document.activeElement === all;
    for (const { item } of gone) item.remove();
    for (const [at, { item }] of rows.entries()) {
      if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null);
    }
    all.hidden = rows.length === 0;
    const lost = focused >= 0 && !list.contains(document.activeElement);
    if (!lost && !(wasOnAll && all.hidden)) return;
    // To the retry of what has taken its place, and with none left to what is still there.
    const next = rows[Math.min(focused, rows.length - 1)]?.item;
    (next?.querySelector<HTMLElement>("[data-retry]") ?? title).focus();
  };

  const itemOf = (letter: DeadLetter) => {
    const { id, reason, time, traceId } = letter;
    const facts = element("p", { class: "letter-facts" });
    if (time !== null) facts.append(element("time", { datetime: time }, dayAndTime(time)));
    const deliveries = deliveriesOf(letter);
    if (deliveries) facts.append(element("span", {}, deliveries));
    // It comes from a header, which anyone may have written.
    if (traceId !== null && /^[\da-f]{32}$/.test(traceId)) {
      const attributes = { class: "link id", "aria-label": `Show the trace ${traceId} of ${id}` };
      facts.append(button(`trace ${traceId}`, () => onOpenTrace(traceId), attributes));
    }
    const again = button("Retry", () => void retry(id), {
      "aria-label": `Retry ${id}`,
      "data-retry": true,
    });
    const heading = element("h4", { class: "id" }, id);
    return element(
      "li",
      { class: "letter" },
      heading,
      again,
      element("p", { class: "reason" }, reason),
      facts,
    );
  };

  return {
    show(node) {
      const wanted = node?.kind === "queue" ? queueName(node) : "";
      const deadLetters = node?.deadLetters;
      if (wanted !== queue) {
        queue = wanted;
        newest++;
        due = 0;
        total = undefined;
        section.hidden = true;
        for (const place of [count, result]) setText(place, "");
        render([]);
      }
      // Where the broker does not answer, no number is known.
      if (typeof deadLetters !== "number" || busy) return;
      if (section.hidden && deadLetters > 0) {
        section.hidden = false;
        setText(count, "Loading");
        setText(drop, `npm run dead-letters -- drop ID --queue ${queue}`);
        all.ariaLabel = `Retry all of queue ${queue}`;
      }
      const isOld = deadLetters !== (total ?? 0);
      if (isOld && performance.now() >= due && !document.hidden) void load();
    },
  };
}
