/**
 * A debugger, by the inspector's protocol. It finds a line of a .ts file as Chrome and VS Code do: by the file's own
 * URL, or by the source map of a bundle. By hand it pauses a request, and shows the answer:
 *   node functions/test/support/inspector.ts PORT FILE:LINE SECONDS URL [HOST]
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { SourceMap, type SourceMapPayload } from "node:module";
import { join, relative } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { decode } from "../../stack-map.ts";

/** A file of the repository, "functions/gateway/gateway.ts", and a line of it, from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface Debugger extends AsyncDisposable {
  /** Sets a breakpoint; returns where it is, which is the next line with code. */
  breakAt(place: Place): Promise<Place>;
  /** Settles when the function is paused, with the place. */
  paused(): Promise<Place>;
  resume(): Promise<void>;
}

interface Script {
  readonly scriptId: string;
  readonly url: string;
  readonly sourceMapURL: string;
}

interface Location {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

const root = join(import.meta.dirname, "../../..");

/** Attaches to the inspector on this port of this machine; disposal detaches, and what is paused goes on. */
export async function attachDebugger(port: number): Promise<Debugger> {
  const session = await openSession(port);
  const scripts = new Map<string, Script>();
  const maps = new Map<string, Promise<SourceMapPayload | undefined>>();
  let pause = Promise.withResolvers<Location>();
  session.on("Debugger.scriptParsed", (script: Script) => scripts.set(script.scriptId, script));
  session.on("Debugger.paused", ({ callFrames }: { callFrames: { location: Location }[] }) => {
    const [frame] = callFrames;
    if (frame) pause.resolve(frame.location);
  });
  await session.send("Debugger.enable");

  const mapOf = (script: Script): Promise<SourceMapPayload | undefined> => {
    const map = maps.get(script.scriptId) ?? readMap(script);
    maps.set(script.scriptId, map);
    return map;
  };

  const placeOf = async ({ scriptId, lineNumber, columnNumber }: Location): Promise<Place> => {
    const script = scripts.get(scriptId);
    const map = script && (await mapOf(script));
    if (!map) return { file: fileOf(script?.url ?? ""), line: lineNumber + 1 };
    const entry = new SourceMap(map).findEntry(lineNumber, columnNumber);
    if (!("originalSource" in entry)) throw new Error(`the source map has no line ${lineNumber}`);
    return { file: entry.originalSource, line: entry.originalLine + 1 };
  };

  const locate = async ({ file, line }: Place) => {
    for (const script of scripts.values()) {
      if (fileOf(script.url) === file) return { url: script.url, lineNumber: line - 1 };
      const map = await mapOf(script);
      const place = map && generated(map, { file, line });
      if (place) return { url: script.url, ...place };
    }
    throw new Error(`no script that is loaded is made of ${file}:${line}`);
  };

  return {
    async breakAt(place) {
      const found: { locations: Location[] } = await session.send(
        "Debugger.setBreakpointByUrl",
        await locate(place),
      );
      const [location] = found.locations;
      if (!location) throw new Error(`${place.file}:${place.line} takes no breakpoint`);
      return placeOf(location);
    },
    async paused() {
      return placeOf(await pause.promise);
    },
    async resume() {
      pause = Promise.withResolvers();
      await session.send("Debugger.resume");
    },
    [Symbol.asyncDispose]: session.close,
  };
}

/** Requests and events of the protocol: https://chromedevtools.github.io/devtools-protocol/v8/Debugger/ */
async function openSession(port: number) {
  const targets = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
  const [{ webSocketDebuggerUrl }] = targets as [{ webSocketDebuggerUrl: string }];
  const socket = new WebSocket(webSocketDebuggerUrl);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const listeners = new Map<string, (event: never) => void>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error, method, params } = JSON.parse(String(data));
    if (id === undefined) return listeners.get(method)?.(params as never);
    if (error) waiting.get(id)?.reject(new Error(error.message));
    else waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  await once(socket, "open");
  let last = 0;
  return {
    on(event: string, listener: (event: never) => void) {
      listeners.set(event, listener);
    },
    send<T>(method: string, params: object = {}): Promise<T> {
      const answer = Promise.withResolvers<unknown>();
      last++;
      waiting.set(last, answer);
      socket.send(JSON.stringify({ id: last, method, params }));
      return answer.promise as Promise<T>;
    },
    async close() {
      if (socket.readyState === WebSocket.CLOSED) return;
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
}

function fileOf(url: string): string {
  return url.startsWith("file:") ? relative(root, fileURLToPath(url)) : url;
}

/** Within the script, or beside it on this machine. */
async function readMap({ url, sourceMapURL }: Script): Promise<SourceMapPayload | undefined> {
  if (!sourceMapURL || !url.startsWith("file:") || url.includes("/node_modules/")) return undefined;
  const [, data] = /^data:application\/json;base64,(.*)$/.exec(sourceMapURL) ?? [];
  const text = data
    ? Buffer.from(data, "base64").toString()
    : await readFile(new URL(sourceMapURL, url), "utf8");
  return JSON.parse(text);
}

/** The first place in a bundle that is made of this line. */
function generated({ sources, mappings }: SourceMapPayload, { file, line }: Place) {
  const wanted = sources.indexOf(file);
  if (wanted < 0) return undefined;
  let source = 0;
  let original = 0;
  for (const [lineNumber, segments] of mappings.split(";").entries()) {
    let columnNumber = 0;
    for (const segment of segments.split(",")) {
      const [column = 0, sources, lines = 0] = decode(segment);
      columnNumber += column;
      if (sources === undefined) continue;
      source += sources;
      original += lines;
      if (source === wanted && original === line - 1) return { lineNumber, columnNumber };
    }
  }
  return undefined;
}

if (process.argv[1] === import.meta.filename) {
  const [port, place, seconds, url = "", host] = process.argv.slice(2);
  const [file = "", line] = place?.split(":") ?? [];
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const at = (one: Place) => `${one.file}:${one.line}`;
  await using attached = await attachDebugger(Number(port));
  say(`breakpoint at ${at(await attached.breakAt({ file, line: Number(line) }))}`);
  const since = performance.now();
  const request = get(url, { headers: host ? { host } : {} });
  const answered = once(request, "response") as Promise<[IncomingMessage]>;
  const early = answered.then(() => undefined);
  const hit = await Promise.race([attached.paused(), early]);
  say(hit ? `paused at ${at(hit)}, for ${seconds} s` : "answered without a pause");
  if (hit) {
    await Promise.race([wait(Number(seconds) * 1_000), early]);
    await attached.resume();
  }
  const [response] = await answered;
  const body = Buffer.concat(await response.toArray()).toString();
  const took = Math.round(performance.now() - since) / 1_000;
  say(`answered after ${took} s: ${response.statusCode} ${body}`);
}
