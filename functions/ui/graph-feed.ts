import type { Readable } from "node:stream";
import { createEventStream, type EventStream } from "./event-stream.ts";
import type { LiveGraph } from "./live.ts";

export interface GraphFeed {
  /** A stream of `graph` events, which ends when the feed does. */
  open(): Readable;
  end(): void;
}

/** A change is sent within this time, several changes as one. */
const changeMs = 250;

/** Without a change, the graph is sent this often: rates fall with time alone. */
const pulseMs = 1_000;

/** The live graph as events, the same for every client. Without clients it does no work. */
export function createGraphFeed(take: () => LiveGraph | Promise<LiveGraph>): GraphFeed {
  const streams = new Set<EventStream>();
  let timer: NodeJS.Timeout | undefined;
  let taking = false;
  let sent = { content: "", data: "", at: 0 };

  const look = async () => {
    if (taking) return;
    taking = true;
    try {
      const graph = await take();
      const content = JSON.stringify({ ...graph, at: undefined });
      const now = performance.now();
      if (content === sent.content && now - sent.at < pulseMs) return;
      sent = { content, data: JSON.stringify(graph), at: now };
      for (const stream of streams) stream.send("graph", sent.data);
    } finally {
      taking = false;
    }
  };
  const tick = () => void look().catch(() => {}); // the next look may succeed

  return {
    open() {
      const stream = createEventStream(() => {
        streams.delete(stream);
        if (streams.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      });
      streams.add(stream);
      // A newcomer need not wait for a change.
      sent = { ...sent, content: "" };
      timer ??= setInterval(tick, changeMs);
      tick();
      return stream.body;
    },
    end() {
      for (const stream of streams) stream.end();
    },
  };
}
