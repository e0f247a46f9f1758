/** Reads V8's CPU profiles: whose code ran, in the words of the source, through the bundle's source map. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../local/tool-env.ts";

export interface SelfTime {
  /** A package, a file of ours, a module of Node, or what V8 does besides. */
  readonly where: string;
  /** With its file and line, as far as they are known. */
  readonly function: string;
  readonly micros: number;
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  /** Microseconds from one sample to the next. */
  readonly timeDeltas: readonly number[];
  /** Of the machine's monotonic clock, in microseconds. */
  readonly startTime: number;
}

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** The monotonic clock that profiles have, in microseconds. */
export function profileClock(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** What a process did between two times, without the time in which it waited. */
export function selfTimes(folder: string, from: number, to: number): SelfTime[] {
  const [file] = readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"));
  if (!file) throw new Error(`${folder} holds no profile: the process ended by a signal`);
  const profile: Profile = JSON.parse(readFileSync(join(folder, file), "utf8"));
  const micros = new Map<number, number>();
  let now = profile.startTime;
  profile.samples.forEach((node, index) => {
    const delta = profile.timeDeltas[index] ?? 0;
    now += delta;
    if (now >= from && now <= to) micros.set(node, (micros.get(node) ?? 0) + delta);
  });
  const maps = new Map<string, SourceMap | undefined>();
  return profile.nodes.flatMap(({ id, callFrame }) => {
    const spent = micros.get(id);
    if (!spent || callFrame.functionName === "(idle)") return [];
    return [{ ...placeOf(callFrame, maps), micros: spent }];
  });
}

function placeOf(frame: CallFrame, maps: Map<string, SourceMap | undefined>) {
  const { functionName, url, lineNumber, columnNumber } = frame;
  const named = functionName || "(anonymous)";
  if (!url) return { where: besides[named] ?? "native functions", function: named };
  if (!url.startsWith("file:")) return { where: url, function: `${named}  ${url}` };
  const file = fileURLToPath(url);
  const entry = mapOf(file, maps)?.findEntry(lineNumber, columnNumber);
  const origin = entry && "originalSource" in entry ? entry : undefined;
  const source = origin ? resolve(file, "..", origin.originalSource) : file;
  const line = (origin ? origin.originalLine : lineNumber) + 1;
  const path = source.replace(/.*node_modules\//, "");
  const short = path === source ? ownerOf(source) : path;
  return { where: ownerOf(source), function: `${named}  ${short}:${line}` };
}

/** What V8 calls frames that are none, in a person's words. */
const besides: Readonly<Record<string, string>> = {
  "(garbage collector)": "garbage collector",
  "(program)": "outside of JavaScript",
};

function mapOf(file: string, maps: Map<string, SourceMap | undefined>): SourceMap | undefined {
  if (!maps.has(file)) {
    const path = `${file}.map`;
    const map = existsSync(path)
      ? new SourceMap(JSON.parse(readFileSync(path, "utf8")))
      : undefined;
    maps.set(file, map);
  }
  return maps.get(file);
}

/** node_modules/@grpc/grpc-js/build/src/call.js belongs to @grpc/grpc-js; a file of ours stands for itself. */
function ownerOf(path: string): string {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
  const own = relative(root, path);
  // Of a bundle's own file: what esbuild puts around the code.
  return name ?? (own.startsWith("..") ? basename(path) : own);
}
