import type { Readable } from "node:stream";
import { createEventStream, type EventStream } from "./event-stream.ts";
import type { LiveGraph } from "./live.ts";

export interface GraphFeed {
  /** A stream of `graph` events, which ends when the feed does. */
  open(): Readable;
  end(): void;
}

/** A change is told within this time, several of them as one. */
const changeMs = 250;

/** Without any change, the graph is told this often: rates fall with time alone. */
const pulseMs = 1_000;

/** The live graph as events, the same for everyone. Nothing is looked at while nobody listens. */
export function createGraphFeed(take: () => LiveGraph | Promise<LiveGraph>): GraphFeed {
  const streams = new Set<EventStream>();
  let timer: NodeJS.Timeout | undefined;
  let taking = false;
  let told = { content: "", data: "", at: 0 };

  const look = async () => {
    if (taking) return;
    taking = true;
    try {
      const graph = await take();
      const content = JSON.stringify({ ...graph, at: undefined });
      const now = performance.now();
      if (content === told.content && now - told.at < pulseMs) return;
      told = { content, data: JSON.stringify(graph), at: now };
      for (const stream of streams) stream.send("graph", told.data);
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
      told = { ...told, content: "" };
      timer ??= setInterval(tick, changeMs);
      tick();
      return stream.body;
    },
    end() {
      for (const stream of streams) stream.end();
    },
  };
}
