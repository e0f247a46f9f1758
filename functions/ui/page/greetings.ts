import type { Greeting } from "#proto";
import { element, find, setText } from "./dom.ts";

export interface Greetings {
  /** Puts an answer's greetings on top, in its order. */
  add(greetings: readonly Greeting[]): void;
}

/** Ten answers of the whole graph. */
const mostRows = 70;

/** The table of greetings, the newest answer first. */
export function createGreetings(): Greetings {
  const body = find("greetings", HTMLTableSectionElement);
  const note = find("greetings-note", HTMLElement);
  const clear = find("greetings-clear", HTMLButtonElement);
  find("greetings-scroller", HTMLElement).tabIndex = 0; // so that a keyboard can scroll it
  let total = 0;
  const count = () => {
    clear.hidden = total === 0;
    setText(note, total === 0 ? "None yet: send a request." : `${total} received`);
  };
  clear.addEventListener("click", () => {
    total = 0;
    body.replaceChildren();
    count();
  });
  count();
  return {
    add(greetings) {
      total += greetings.length;
      count();
      body.prepend(...greetings.map(rowOf));
      body.firstElementChild?.classList.add("first-of-answer");
      while (body.childElementCount > mostRows) body.lastElementChild?.remove();
    },
  };
}

function rowOf({ service, message, created, id }: Greeting): HTMLElement {
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, service),
    element("td", {}, message),
    element("td", {}, element("time", { datetime: String(created) }, dateAndTime(created))),
    element("td", { class: "id" }, id),
  );
}

function dateAndTime(created: unknown): string {
  const date = new Date(String(created));
  if (Number.isNaN(date.getTime())) return String(created);
  const [day, time] = date.toISOString().split("T");
  return `${day} ${time?.slice(0, 12)}`;
}
