/** The last log lines of each function, and those to come. */
export interface LogTail {
  /** One line, a JSON object; its `service` says whose it is. */
  add(line: string): void;
  last(name: string): readonly string[];
  /** Hears the lines of a function from now on, until the function that it returns is called. */
  follow(name: string, hear: (line: string) => void): () => void;
}

const most = 200;
/** A line may hold a stack, and should not hold a novel. */
const longest = 32_768;

export function createLogTail(names: readonly string[]): LogTail {
  const lines = new Map<string, string[]>(names.map((name) => [name, []]));
  const followers = new Map<string, Set<(line: string) => void>>();
  return {
    add(line) {
      const name = serviceOf(line);
      const kept = name === undefined ? undefined : lines.get(name);
      if (!name || !kept || line.length > longest) return;
      kept.push(line);
      if (kept.length > most) kept.shift();
      for (const hear of followers.get(name) ?? []) hear(line);
    },
    last: (name) => lines.get(name) ?? [],
    follow(name, hear) {
      const hearing = followers.get(name) ?? new Set();
      followers.set(name, hearing.add(hear));
      return () => void hearing.delete(hear);
    },
  };
}

/** Near the line's begin, where the logger puts it: lines are many, and few are looked at. */
function serviceOf(line: string): string | undefined {
  return /^\{"level":\d+,"time":\d+,"service":"([^"]*)"/.exec(line)?.[1];
}
