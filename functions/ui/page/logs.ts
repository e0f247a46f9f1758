import { logsUrl } from "./api.ts";
import { element, setText } from "./dom.ts";
import { timeOfDay } from "./format.ts";

export interface Logs {
  /** Follows this function's log, and no other any more. */
  follow(name: string): void;
  stop(): void;
}

const mostLines = 400;
const levels: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};

/** A function's log lines in `box`, the newest below; it stays at the end as long as the reader does not scroll up. */
export function createLogs(box: HTMLElement, note: HTMLElement): Logs {
  let source: EventSource | undefined;
  box.tabIndex = 0; // so that a keyboard can scroll it
  const stop = () => {
    source?.close();
    source = undefined;
    box.replaceChildren();
  };
  return {
    stop,
    follow(name) {
      stop();
      setText(note, "Waiting for lines");
      source = new EventSource(logsUrl(name));
      // After a lost connection the server begins again with its last lines.
      source.addEventListener("open", () => box.replaceChildren());
      source.addEventListener("error", () => setText(note, "Connection lost, trying again"));
      source.addEventListener("log", (event) => {
        setText(note, "");
        const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 30;
        box.append(lineElement((event as MessageEvent<string>).data));
        while (box.childElementCount > mostLines) box.firstElementChild?.remove();
        if (atEnd) box.scrollTop = box.scrollHeight;
      });
    },
  };
}

function lineElement(text: string): HTMLElement {
  const line = parse(text);
  if (!line) return element("div", { class: "log-line" }, text);
  const { level, time, msg, service: _service, pid: _pid, hostname: _hostname, ...rest } = line;
  const word = levels[Number(level)] ?? String(level ?? "");
  const more = Object.keys(rest).length === 0 ? "" : JSON.stringify(rest);
  return element(
    "div",
    { class: `log-line ${word}` },
    element("span", { class: "log-time" }, timeOfDay(Number(time))),
    " ",
    element("span", { class: "log-level" }, word),
    ` ${String(msg ?? "")} `,
    element("span", { class: "log-more" }, more),
  );
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined; // what a crash prints is no JSON
  }
}
