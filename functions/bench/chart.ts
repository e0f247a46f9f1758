/** The mission as an SVG picture: for each number of clients a group of bars, a bar for each contender. */

import type { Measured, Point } from "./measure.ts";
import type { MissionResult } from "./run.ts";
import type { Figure } from "./statistics.ts";

interface Panel {
  readonly title: string;
  of(point: Point): Figure | undefined;
}

const panels: readonly Panel[] = [
  { title: "requests per second", of: ({ perSecond }) => perSecond },
  { title: "CPU ms per request, all functions", of: ({ cpuMs }) => cpuMs },
  { title: "p99 ms", of: ({ p99Ms }) => p99Ms },
];

/** Told apart by people with any kind of colour vision, on white and on black. */
const colours = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];
const width = 760;
const panelHeight = 190;
const plot = { left: 60, top: 34, height: 120 };
const legendHeight = 28;

export function chartOf({ contenders, database, rounds }: MissionResult): string {
  const height = legendHeight + panels.length * panelHeight;
  const title = `The whole mission, database ${database}, medians of ${rounds} rounds; lines from the smallest to the largest`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="sans-serif" font-size="12" fill="#808080">
<title>${inXml(title)}</title>
${contenders.map(({ name }, index) => legend(name, index)).join("\n")}
${panels.map((panel, index) => panelOf(panel, contenders, legendHeight + index * panelHeight)).join("\n")}
</svg>
`;
}

function legend(name: string, index: number): string {
  const x = plot.left + index * 115;
  return `<rect x="${x}" y="8" width="12" height="12" fill="${colourOf(index)}"/><text x="${x + 17}" y="18">${inXml(name)}</text>`;
}

function panelOf(panel: Panel, contenders: readonly Measured[], top: number): string {
  const clients = Object.keys(contenders[0]?.points ?? {});
  const figures = contenders.map(({ points }) =>
    clients.map((one) => {
      const point = points[one];
      return point && point.wrong === 0 ? panel.of(point) : undefined;
    }),
  );
  const medians = figures.flat().map((figure) => figure?.median ?? 0);
  // Room for the lines, but not for one round in which something else ran.
  const largest = Math.max(1e-9, ...medians) * 1.15;
  const bottom = top + plot.top + plot.height;
  const y = (value: number) => bottom - (Math.min(value, largest) / largest) * plot.height;
  const group = (width - plot.left - 10) / clients.length;
  const bar = Math.min(40, (group * 0.85) / contenders.length);
  const bars = figures.flatMap((row, index) =>
    row.flatMap((figure, at) => {
      if (!figure || Number.isNaN(figure.median)) return [];
      const x = plot.left + at * group + index * bar;
      const middle = x + bar / 2;
      const shown = figure.median < 10 ? figure.median.toFixed(1) : figure.median.toFixed(0);
      return [
        `<rect x="${round(x)}" y="${round(y(figure.median))}" width="${round(bar - 2)}" height="${round(bottom - y(figure.median))}" fill="${colourOf(index)}"/>`,
        `<path d="M${round(middle)} ${round(y(figure.min))}V${round(y(figure.max))}" stroke="#808080"/>`,
        `<text x="${round(middle)}" y="${round(y(figure.max) - 3)}" font-size="10" text-anchor="middle">${shown}</text>`,
      ];
    }),
  );
  const axis = clients.map(
    (one, at) =>
      `<text x="${round(plot.left + at * group)}" y="${bottom + 15}">${one} client${one === "1" ? "" : "s"}</text>`,
  );
  return [
    `<text x="${plot.left}" y="${top + 18}" font-weight="bold">${inXml(panel.title)}</text>`,
    `<path d="M${plot.left} ${bottom}H${width - 10}" stroke="#808080"/>`,
    ...bars,
    ...axis,
  ].join("\n");
}

function colourOf(index: number): string {
  return colours[index % colours.length] ?? "#808080";
}

function round(value: number): string {
  return value.toFixed(1);
}

function inXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
