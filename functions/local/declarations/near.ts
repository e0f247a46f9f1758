/** The way out of a name that is not known: those that it may have meant, else all. */
export function suggest(name: string, known: readonly string[]): string {
  if (known.length === 0) return "there is none yet";
  const distances = new Map(known.map((one) => [one, distance(name, one)]));
  const least = Math.min(...distances.values());
  const near =
    least > Math.max(1, name.length / 3)
      ? []
      : known.filter((one) => distances.get(one) === least).slice(0, 3);
  return near.length > 0 ? `did you mean ${near.join(" or ")}?` : `there is ${known.join(", ")}`;
}

/** Levenshtein: letters to put in, to take out or to change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
