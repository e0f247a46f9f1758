/** `npm run invoke -- service-c`: calls one function of the graph that `npm start` runs. */
import { DeclarationError } from "./declarations/check.ts";
import { localDir } from "./discover.ts";
import { byGrpc, byHttp } from "./invoke/calls.ts";
import { type HeadersOf, repeat } from "./invoke/repeat.ts";
import { requestOf } from "./invoke/request.ts";
import { parse, positive, UsageError } from "./options.ts";
import { readRun } from "./run-record.ts";

const usage = `Calls one function of the graph that npm start runs, and prints its answer.

  npm run invoke -- service-c [options]
  npm run invoke -- orders --route 'POST /api/orders' --data '{"text":"hello"}'

  --route "R"       the route to call, of those that the function declares (GET /api/greeting)
  --data D          with --route: the body, as JSON; @FILE takes it from a file
  --header "N: V"   a header of the request (repeatable)
  --grpc            its greeting by gRPC instead of HTTP
  --event FILE      hands it the CloudEvent in FILE (JSON), as service-f takes them
  --times N         N calls, one after the other, and a summary
  --fault "LIST"    faults for these calls only: "service-g=503@50%, service-c=delay:800ms";
                    they happen where the functions run with FAULTS=on
  --seed N          with --fault: the same calls fail each time that this is typed
  --help            this text`;

process.exitCode = await main(process.argv.slice(2));

/** 0 when every call succeeded, 1 when not, 2 when the line cannot be understood. */
async function main(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parse({
      args,
      allowPositionals: true,
      options: {
        route: { type: "string" },
        data: { type: "string" },
        header: { type: "string", multiple: true, default: [] },
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
    const { grpc, event, route, data, header } = values;
    const overHttp = Object.entries({ event, route, data, header: header[0] });
    const [option] = overHttp.find(([, value]) => value !== undefined) ?? [];
    if (grpc && option) throw new UsageError(`--${option} goes over HTTP, without --grpc`);
    const times = positive("times", values.times, 1_000_000);
    const headersOf = faultHeaders(values.fault, values.seed);
    const { name, port } = targetOf(positionals);
    const caller = grpc ? byGrpc(port) : byHttp(port, await requestOf(name, values));
    try {
      return await repeat(caller, times, headersOf);
    } finally {
      caller.close();
    }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return error instanceof UsageError || error instanceof DeclarationError ? 2 : 1;
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

function targetOf([name, ...others]: string[]): { name: string; port: number } {
  const addresses = readRun(localDir)?.addresses;
  if (addresses === undefined) throw new Error("Nothing is running yet: start it with npm start.");
  const port = name === undefined ? undefined : addresses[name];
  if (name !== undefined && port !== undefined && others.length === 0) return { name, port };
  const asked = [name, ...others].join(" ") || "no name";
  const known = Object.keys(addresses).join(", ");
  throw new UsageError(`One function is called, not "${asked}". There are: ${known}`);
}
