/** `npm run invoke -- service-c`: calls one function of the graph that `npm start` runs. */
import { readFile } from "node:fs/promises";
import { STATUS_CODES } from "node:http";
import { credentials, Metadata, status } from "@grpc/grpc-js";
import { reasonOf } from "#host/base/errors";
import { headersToMetadata, type PropagatedHeaders } from "#host/base/headers";
import { GreetingResponse, GreetingServiceClient } from "#proto";
import { localDir } from "./discover.ts";
import { parse, positive, UsageError } from "./options.ts";
import { readRun } from "./run-record.ts";

const usage = `Calls one function of the graph that npm start runs, and prints its answer.

  npm run invoke -- service-c [options]

  --grpc            by gRPC instead of HTTP
  --event FILE      hands it the CloudEvent in FILE (JSON), as service-f takes them
  --times N         N calls, one after the other, and a summary
  --fault "LIST"    faults for these calls only: "service-g=503@50%, service-c=delay:800ms";
                    they happen where the functions run with FAULTS=on
  --seed N          with --fault: the same calls fail each time that this is typed
  --help            this text`;

interface Answer {
  ok: boolean;
  /** JSON, or words where there is none. */
  text: string;
}

type Call = (headers: PropagatedHeaders) => Promise<Answer>;

/** The headers of call number `call`, from 1. */
type HeadersOf = (call: number) => PropagatedHeaders;

const timeoutMs = 10_000;

process.exitCode = await main(process.argv.slice(2));

/** 0 when every call was answered as it should, 1 when not, 2 when the line cannot be understood. */
async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parse({
      args,
      allowPositionals: true,
      options: {
        grpc: { type: "boolean", default: false },
        event: { type: "string" },
        times: { type: "string", default: "1" },
        fault: { type: "string" },
        seed: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(`${usage}\n`);
      return 0;
    }
    if (values.grpc && values.event) throw new UsageError("--event goes over HTTP, without --grpc");
    const times = positive("times", values.times, 1_000_000);
    const headersOf = faultHeaders(values.fault, values.seed);
    const port = portOf(positionals);
    if (!values.grpc) {
      return await repeat(byHttp(port, await readEvent(values.event)), times, headersOf);
    }
    const client = new GreetingServiceClient(`127.0.0.1:${port}`, credentials.createInsecure());
    try {
      return await repeat(byGrpc(client), times, headersOf);
    } finally {
      client.close();
    }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** The functions draw by seed and request id, so both are the same in each run. */
function faultHeaders(fault: string | undefined, seed: string | undefined): HeadersOf {
  if (seed === undefined) return () => (fault ? { "x-fault": fault } : {});
  if (!fault) throw new UsageError("--seed goes with --fault");
  const number = positive("seed", seed, 1_000_000);
  return (call) => ({
    "x-fault": `${fault}, seed=${number}`,
    "x-request-id": `invoke-${number}-${call}`,
  });
}

function portOf([name, ...others]: string[]): number {
  const addresses = readRun(localDir)?.addresses;
  if (addresses === undefined) throw new Error("Nothing is running yet: start it with npm start.");
  const port = name === undefined ? undefined : addresses[name];
  if (port !== undefined && others.length === 0) return port;
  const asked = [name, ...others].join(" ") || "no name";
  const known = Object.keys(addresses).join(", ");
  throw new UsageError(`One function is called, not "${asked}". There are: ${known}`);
}

async function readEvent(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  return readFile(file).catch((error: Error) => {
    throw new UsageError(`--event ${file}: ${error.message}`);
  });
}

function byHttp(port: number, event: Buffer | undefined): Call {
  const url = `http://127.0.0.1:${port}${event ? "/" : "/api/greeting"}`;
  const post = event && { method: "POST", body: event };
  const type = event && { "content-type": "application/cloudevents+json" };
  return async (headers) => {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(url, { ...post, headers: { ...headers, ...type }, signal });
      const text = (await response.text()) || `${response.status} ${STATUS_CODES[response.status]}`;
      return { ok: response.ok, text };
    } catch (error) {
      return { ok: false, text: `${url}: ${reasonOf(error)}` };
    }
  };
}

function byGrpc(client: GreetingServiceClient): Call {
  return (headers) =>
    new Promise((resolve) => {
      const metadata = new Metadata();
      headersToMetadata(headers, metadata);
      client.greeting({}, metadata, { deadline: Date.now() + timeoutMs }, (error, response) => {
        if (error) resolve({ ok: false, text: `${status[error.code]}: ${error.details}` });
        else resolve({ ok: true, text: JSON.stringify(GreetingResponse.toJSON(response)) });
      });
    });
}

/** Prints each answer on stdout, one line each when there are several, and a summary on stderr. */
async function repeat(call: Call, times: number, headersOf: HeadersOf): Promise<number> {
  const durations: number[] = [];
  let failed = 0;
  for (let number = 1; number <= times; number += 1) {
    const since = performance.now();
    const { ok, text } = await call(headersOf(number));
    durations.push(performance.now() - since);
    if (!ok) failed += 1;
    process.stdout.write(`${format(text, times === 1)}\n`);
  }
  if (times > 1) process.stderr.write(`${summary(durations, failed)}\n`);
  return failed === 0 ? 0 : 1;
}

function format(text: string, indent: boolean): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, indent ? 2 : 0);
  } catch {
    return text;
  }
}

function summary(durations: readonly number[], failed: number): string {
  const sorted = durations.toSorted((a, b) => a - b);
  const at = (share: number) =>
    `${(sorted[Math.round((sorted.length - 1) * share)] ?? 0).toFixed(1)} ms`;
  return (
    `${sorted.length} calls, ${failed} failed: ` +
    `fastest ${at(0)}, median ${at(0.5)}, 95 % within ${at(0.95)}, slowest ${at(1)}`
  );
}
