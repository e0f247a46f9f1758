import type { LiveGraph } from "../live.ts";
import { eventsUrl } from "./api.ts";

export type Connection = "connecting" | "live" | "lost";

/** The server sends at least once a second: after a longer silence the figures are old. */
const silenceMs = 5_000;
const retryMs = 1_000;

/** Follows the graph for as long as the page is open, however often the connection breaks. */
export function followGraph(
  onGraph: (graph: LiveGraph) => void,
  onConnection: (connection: Connection) => void,
): void {
  let source: EventSource;
  let silence: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    source = new EventSource(eventsUrl);
    source.addEventListener("graph", (event) => {
      clearTimeout(silence);
      silence = setTimeout(reopen, silenceMs);
      onConnection("live");
      onGraph(JSON.parse((event as MessageEvent<string>).data) as LiveGraph);
    });
    source.addEventListener("error", () => {
      clearTimeout(silence);
      onConnection("lost");
      // A browser tries again by itself after a broken connection, and never after an answer of another status.
      if (source.readyState === EventSource.CLOSED) silence = setTimeout(reopen, retryMs);
    });
  };
  const reopen = () => {
    source.close();
    onConnection("lost");
    open();
    silence = setTimeout(reopen, silenceMs);
  };
  onConnection("connecting");
  open();
}
