import { Listr, ListrLogger, ListrLogLevels } from "listr2";
import { type Part, type Progress, parts } from "./launcher.ts";

export interface ProgressList extends Progress {
  /** Ends the list; parts that are not done are shown as failed, with this reason. */
  end(reason?: string): Promise<void>;
}

/** Shows each part of a start: spinners on a terminal, otherwise a line for every step. */
export function showProgress({ toStderr }: { toStderr: boolean }): ProgressList {
  const outcomes = new Map(parts.map((part) => [part, Promise.withResolvers<string>()]));
  const says = new Map<Part, (line: string) => void>();
  const tasks = parts.map((part) => ({
    title: part,
    task: async (_: unknown, task: { output: string; title: string }) => {
      says.set(part, (line) => {
        task.output = line;
      });
      task.title = `${part}: ${await outcomes.get(part)?.promise}`;
    },
    // What was installed, and why, stays on the screen.
    rendererOptions: { persistentOutput: part !== "functions", outputBar: 3 },
  }));
  const list = new Listr(tasks, {
    concurrent: true,
    exitOnError: false,
    registerSignalListeners: false,
    renderer: toStderr ? "simple" : "default",
    fallbackRenderer: "simple",
    ...(toStderr && { rendererOptions: { logger: stderrLogger() } }),
  });
  const shown = list.run();
  return {
    say: (part, line) => says.get(part)?.(line),
    done: (part, line) => outcomes.get(part)?.resolve(line),
    async end(reason = "") {
      for (const { reject } of outcomes.values()) reject(new Error(reason));
      await shown;
    },
  };
}

function stderrLogger() {
  return new ListrLogger<ListrLogLevels>({
    useIcons: true,
    toStderr: Object.values(ListrLogLevels),
  });
}
