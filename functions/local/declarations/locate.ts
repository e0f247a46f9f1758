/** The number of the first line that is wanted, from 1. */
export function lineOf(text: string, wanted: (line: string) => boolean): number | undefined {
  const index = text.split("\n").findIndex(wanted);
  return index < 0 ? undefined : index + 1;
}

/** How each word that begins a problem is written in a declaration. */
const written: Readonly<Record<string, RegExp>> = {
  name: /name:\s*$/,
  calls: /\b(grpc|http)\(\s*$/,
  from: /from:\s*$/,
  saveTo: /saveTo(<.*>)?\(\s*$/,
  publishTo: /publishTo(<.*>)?\(\s*$/,
  mongodb: /saveTo(<.*>)?\(\s*$/,
  rabbitmq: /publishTo(<.*>)?\(\s*$/,
};

/**
 * The line that a problem is about: where the text has what the problem quotes first, best after the word that
 * the problem begins with; else the line of that word; else the declaration's first.
 */
export function lineOfProblem(text: string, problem: string): number {
  const [word = ""] = /^\w+/.exec(problem) ?? [];
  const [, quoted = ""] = /"([^"]+)"/.exec(problem) ?? [];
  const places = quoted ? placesOf(text, quoted) : [];
  const before = written[word];
  const fitting = before ? places.filter((at) => before.test(text.slice(0, at))) : [];
  // "… twice": the second is the one too many.
  const found = problem.endsWith("twice") ? fitting.at(-1) : fitting[0];
  const at = found ?? places[0];
  if (at !== undefined) return text.slice(0, at).split("\n").length;
  const key = word && lineOf(text, (line) => new RegExp(`\\b${word}\\b\\s*:`).test(line));
  return key || lineOf(text, (line) => line.startsWith("export default")) || 1;
}

/** Where the text has it as a string. */
function placesOf(text: string, quoted: string): number[] {
  return ['"', "'", "`"]
    .flatMap((quote) => {
      const wanted = quote + quoted + quote;
      const places: number[] = [];
      for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
        places.push(at);
      }
      return places;
    })
    .sort((a, b) => a - b);
}
