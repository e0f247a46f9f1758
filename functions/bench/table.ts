/** Figures as lines for a terminal. */
import { columns, showFigure } from "./columns.ts";
import type { Measured, Memory, Point } from "./measure.ts";
import type { MissionResult } from "./run.ts";
import { sizeLines } from "./size.ts";

export function missionLines({ database, contenders, sizes }: MissionResult): string[] {
  return [
    `The whole mission, database ${database}: medians (smallest-largest) of all rounds`,
    ...columns([
      [
        "clients, contender",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU ms/request",
        "broker, database",
        "client's CPU",
      ],
      ...byPoint(contenders).map(([concurrency, name, point]) => [
        `${concurrency.padStart(3)}  ${name}`,
        ...(point.wrong > 0
          ? [`WRONG: ${point.wrong} answers: ${point.firstWrong}`]
          : [
              showFigure(point.perSecond),
              showFigure(point.p50Ms, 1),
              showFigure(point.p99Ms, 1),
              showFigure(point.cpuMs, 2),
              showFigure(point.backingCpuMs, 2),
              `${(point.clientCpu.median * 100).toFixed(0)} %`,
            ]),
      ]),
    ]),
    "",
    "Messages per second through D, the broker and F",
    ...columns(
      contenders.flatMap(({ name, messagesPerSecond }) =>
        messagesPerSecond ? [[name, showFigure(messagesPerSecond)]] : [],
      ),
    ),
    "",
    "Resident memory of a function, MiB: least-most of all functions (sum)",
    ...columns([
      ["contender", "idle", "after load"],
      ...contenders
        .filter(({ memory }) => Object.keys(memory.idleMib).length > 0)
        .map(({ name, memory }) => [name, span(memory, "idleMib"), span(memory, "loadedMib")]),
    ]),
    ...(sizes.length > 0 ? ["", ...sizeLines(sizes)] : []),
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
