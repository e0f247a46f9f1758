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
