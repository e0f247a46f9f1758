import type { LiveGraph } from "../live.ts";
import { find } from "./dom.ts";
import { shortName } from "./format.ts";
import type { Connection } from "./live-feed.ts";

export interface Announcer {
  say(text: string): void;
  /** Says which functions have stopped, or come back, since the graph before. */
  graph(graph: LiveGraph): void;
  connection(connection: Connection): void;
}

/** For screen readers, changes that a person wants to hear of: never the figures, which change all the time. */
export function createAnnouncer(): Announcer {
  const region = find("announcements", HTMLElement);
  const states = new Map<string, string>();
  let connected: Connection = "connecting";
  const say = (text: string) => {
    region.textContent = text;
  };
  return {
    say,
    graph({ nodes }) {
      const changes: string[] = [];
      for (const { name, state } of nodes) {
        const before = states.get(name);
        states.set(name, state);
        if (before === undefined || before === state || state === "unknown") continue;
        if (state === "stopped" || (state === "ready" && before !== "unknown")) {
          changes.push(`${shortName(name)} is ${state}`);
        }
      }
      if (changes.length > 0) say(changes.join(", "));
    },
    connection(connection) {
      if (connection === "lost" && connected !== "lost") say("Connection lost, trying again");
      if (connection === "live" && connected === "lost") say("Connected again");
      connected = connection;
    },
  };
}
