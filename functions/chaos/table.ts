import type { Row } from "./experiment.ts";

const columns = [
  ["fault", (row: Row) => row.fault],
  ["requests", (row: Row) => String(row.requests)],
  ["right", (row: Row) => String(row.right)],
  ["refused", (row: Row) => String(row.refused)],
  ["cut", (row: Row) => String(row.cut)],
  ["wrong", (row: Row) => String(row.wrong)],
  ["lost", (row: Row) => String(row.lost)],
  ["doubled", (row: Row) => String(row.doubled)],
  ["recovered", (row: Row) => `${(row.recoveredMs / 1_000).toFixed(1)} s`],
] as const;

const nameWidth = 42;
const widths = columns.map(([title], i) => (i === 0 ? nameWidth : title.length + 2));

/** Line by line, so that each can be shown as soon as it is known. */
export function headOf(): string {
  return line(columns.map(([title]) => title));
}

export function lineOf(row: Row): string {
  if (row.skipped !== undefined) return `${row.fault.padEnd(nameWidth)}  skipped: ${row.skipped}`;
  const cells = line(columns.map(([, cell]) => cell(row)));
  return [cells, ...row.problems.map((problem) => `  ! ${problem}`)].join("\n");
}

/** The sum of all rows. */
export function totalOf(rows: readonly Row[]): Row {
  const sum = (read: (row: Row) => number) => rows.reduce((all, row) => all + read(row), 0);
  return {
    fault: `all ${rows.filter(({ skipped }) => skipped === undefined).length}, longest recovery`,
    requests: sum(({ requests }) => requests),
    right: sum(({ right }) => right),
    refused: sum(({ refused }) => refused),
    cut: sum(({ cut }) => cut),
    wrong: sum(({ wrong }) => wrong),
    lost: sum(({ lost }) => lost),
    doubled: sum(({ doubled }) => doubled),
    recoveredMs: Math.max(0, ...rows.map(({ recoveredMs }) => recoveredMs)),
    reasons: [],
    problems: [],
  };
}

function line(cells: readonly string[]): string {
  const padded = cells.map((cell, i) =>
    i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
  );
  return padded.join("");
}
