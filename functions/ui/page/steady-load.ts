import { find, setText } from "./dom.ts";

/** A forgotten page must not go on for ever. */
const longestMs = 10 * 60_000;
/** Requests that wait for their answer; when the graph is slower than the load, the rest are not sent. */
const mostInFlight = 40;

/** Sends at the slider's rate, until it is zero, ten minutes have passed, or the page is hidden. */
export function createSteadyLoad(send: () => Promise<void>, say: (text: string) => void): void {
  const slider = find("load", HTMLInputElement);
  const output = find("load-output", HTMLOutputElement);
  slider.disabled = false;
  let timer: ReturnType<typeof setInterval> | undefined;
  let began = 0;
  let sent = 0;
  let inFlight = 0;

  const stop = (why?: string) => {
    clearInterval(timer);
    timer = undefined;
    slider.value = "0";
    setText(output, why ?? "off");
    if (why) say(`Steady load stopped: ${why}`);
  };
  const tick = () => {
    const passed = performance.now() - began;
    if (passed >= longestMs) {
      stop("off after 10 minutes");
      return;
    }
    const due = Math.floor((passed / 1_000) * slider.valueAsNumber) - sent;
    for (let request = 0; request < due; request++) {
      sent += 1;
      if (inFlight >= mostInFlight) continue;
      inFlight += 1;
      void send().finally(() => {
        inFlight -= 1;
      });
    }
    show(longestMs - passed);
  };
  const show = (leftMs: number) => {
    const seconds = Math.ceil(leftMs / 1_000);
    const left = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    setText(output, `${slider.value}/s, stops in ${left}`);
  };
  slider.addEventListener("input", () => {
    if (slider.valueAsNumber === 0) {
      stop();
      return;
    }
    began = performance.now();
    sent = 0;
    timer ??= setInterval(tick, 50);
    show(longestMs);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && timer !== undefined) stop("off, the page was hidden");
  });
}
