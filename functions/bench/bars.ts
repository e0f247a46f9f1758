/** `--check`: the figures that the platform is held to. */
import { type ColdResult, greetingC, hello, readyA } from "./cold.ts";
import { columns } from "./columns.ts";
import type { GrowthResult } from "./growth.ts";
import type { Measured, Point } from "./measure.ts";
import type { MissionResult } from "./run.ts";
import type { AgainstStartResult, WholeResult } from "./whole.ts";

/** What a run has measured; a bar without its figures is not judged. */
export interface Results {
  readonly mission?: MissionResult;
  readonly cold?: ColdResult;
  readonly whole?: WholeResult;
  readonly growth?: GrowthResult;
  readonly againstStart?: AgainstStartResult;
}

export interface Bar {
  readonly what: string;
  readonly figure: number;
  readonly limit: number;
  readonly at: "least" | "most";
  readonly holds: boolean;
}

export function barsOf(results: Results): Bar[] {
  const { mission, cold, whole, growth, againstStart } = results;
  return [
    ...(mission ? missionBars(mission) : []),
    ...(growth
      ? [
          most(
            "CPU of a chain of 16, of 16 chains of 1",
            median(growth.cpuMs["16"]) / (16 * median(growth.cpuMs["1"])),
            1.1,
          ),
        ]
      : []),
    // Not the sum of what is resident, which has the pages of Node's program once for each process.
    ...(whole ? [most("npm start after load, MiB", whole.proportionalMib, 1.4 * 1_024)] : []),
    ...(cold
      ? [
          most("cold start of service-a, of hello", coldRatio(cold, readyA), 0.8),
          most("cold start of service-c, of hello", coldRatio(cold, greetingC), 1.1),
        ]
      : []),
    ...(againstStart
      ? [
          least(
            "npm start, requests/s at 25, of the other checkout",
            againstStart.here.median / againstStart.there.median,
            3,
          ),
        ]
      : []),
  ];
}

function missionBars({ contenders }: MissionResult): Bar[] {
  const [ours, plain, floor] = ["ours", "plain", "floor"].map((name) =>
    contenders.find((one) => one.name === name),
  );
  if (!ours) return [];
  const ratio = (other: Measured, clients: number, of: (point: Point) => number) =>
    rightOf(ours, clients, of) / rightOf(other, clients, of);
  const speeds = Object.keys(ours.points).map((clients) => [
    Number(clients),
    rightOf(ours, Number(clients), speed),
  ]) as [number, number][];
  const lower = speeds.filter(([clients]) => clients < 100).map(([, perSecond]) => perSecond);
  return [
    ...(plain
      ? [25, 50].flatMap((clients) => [
          least(`requests/s at ${clients}, of plain's`, ratio(plain, clients, speed), 2.5),
          most(`CPU per request at ${clients}, of plain's`, ratio(plain, clients, cpu), 0.4),
        ])
      : []),
    ...(floor
      ? [25, 50].map((clients) =>
          least(`requests/s at ${clients}, of floor's`, ratio(floor, clients, speed), 0.35),
        )
      : []),
    ...(plain
      ? [
          most("CPU per request at 1, of plain's", ratio(plain, 1, cpu), 0.6),
          most("p99 at 25, of plain's", ratio(plain, 25, p99), 0.4),
        ]
      : []),
    least(
      "requests/s at 100, of the best at fewer clients",
      rightOf(ours, 100, speed) / Math.max(...lower),
      0.95,
    ),
    ...(plain
      ? [
          most(
            "idle memory of a function, largest, of plain's largest",
            Math.max(...Object.values(ours.memory.idleMib)) /
              Math.max(...Object.values(plain.memory.idleMib)),
            1,
          ),
        ]
      : []),
    most(
      "memory of a function after load, largest, MiB",
      Math.max(...Object.values(ours.memory.loadedMib)),
      110,
    ),
  ];
}

const speed = ({ perSecond }: Point) => perSecond.median;
const p99 = ({ p99Ms }: Point) => p99Ms.median;
const cpu = ({ cpuMs }: Point) => median(cpuMs);

/** NaN, which no bar holds for, where a point is missing or has wrong answers. */
function rightOf({ points }: Measured, clients: number, of: (point: Point) => number): number {
  const point = points[clients];
  return point && point.wrong === 0 ? of(point) : Number.NaN;
}

function median(figure: { median: number } | undefined): number {
  return figure?.median ?? Number.NaN;
}

function coldRatio({ ms }: ColdResult, name: string): number {
  return median(ms[name]) / median(ms[hello]);
}

function least(what: string, figure: number, limit: number): Bar {
  return { what, figure, limit, at: "least", holds: figure >= limit };
}

function most(what: string, figure: number, limit: number): Bar {
  return { what, figure, limit, at: "most", holds: figure <= limit };
}

export function barLines(bars: readonly Bar[]): string[] {
  return [
    "Bars",
    ...columns(
      bars.map(({ what, figure, limit, at, holds }) => [
        what,
        figure.toFixed(2),
        `at ${at} ${limit.toFixed(2)}`,
        holds ? "holds" : "DOES NOT HOLD",
      ]),
    ),
  ];
}
