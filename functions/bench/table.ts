/** Figures as lines for a terminal. */
import type { Measured, Memory, Point } from "./measure.ts";
import type { MissionResult } from "./run.ts";
import type { Figure } from "./statistics.ts";

/** Columns of equal width; the first is text, the others are figures. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, index) => Math.max(known[index] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** The median, and the smallest and largest in brackets. */
export function showFigure(figure: Figure | undefined, digits = 0): string {
  if (!figure || Number.isNaN(figure.median)) return "-";
  const { median, min, max } = figure;
  return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
}

export function missionLines({ database, contenders }: MissionResult): string[] {
  return [
    `The whole mission, database ${database}: medians (smallest-largest) of all rounds`,
    ...columns([
      ["clients, contender", "requests/s", "p50 ms", "p99 ms", "CPU ms/request", "client's CPU"],
      ...byPoint(contenders).map(([concurrency, name, point]) => [
        `${concurrency.padStart(3)}  ${name}`,
        ...(point.wrong > 0
          ? [`WRONG: ${point.wrong} answers: ${point.firstWrong}`]
          : [
              showFigure(point.perSecond),
              showFigure(point.p50Ms, 1),
              showFigure(point.p99Ms, 1),
              showFigure(point.cpuMs, 2),
              `${(point.clientCpu.median * 100).toFixed(0)} %`,
            ]),
      ]),
    ]),
    "",
    "Resident memory of a function, MiB: least-most of all functions (sum)",
    ...columns([
      ["contender", "idle", "after load"],
      ...contenders
        .filter(({ memory }) => Object.keys(memory.idleMib).length > 0)
        .map(({ name, memory }) => [name, span(memory, "idleMib"), span(memory, "loadedMib")]),
    ]),
  ];
}

function byPoint(contenders: readonly Measured[]): [string, string, Point][] {
  const concurrencies = Object.keys(contenders[0]?.points ?? {});
  return concurrencies.flatMap((concurrency) =>
    contenders.flatMap(({ name, points }): [string, string, Point][] => {
      const point = points[concurrency];
      return point ? [[concurrency, name, point]] : [];
    }),
  );
}

function span(memory: Memory, which: keyof Memory): string {
  const values = Object.values(memory[which]);
  const sum = values.reduce((total, one) => total + one, 0);
  return `${Math.min(...values).toFixed(0)}-${Math.max(...values).toFixed(0)} (${sum.toFixed(0)})`;
}
