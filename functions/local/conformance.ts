/**
 * `npm run conformance`: a function's one port, judged by others' tools: h2spec, and the clients of gRPC grpcurl, ghz
 * and grpc-health-probe. Exit code 1 where one of them is not content.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { greeter, grpc } from "#host";
import { startHost } from "#host/host";
import { casesOf, compare, explained } from "./conformance/h2spec.ts";
import { type GoTool, goTool, withoutGo } from "./conformance/tools.ts";

interface Result {
  readonly what: string;
  readonly result: string;
  readonly ok: boolean;
}

const local = { HOST: "127.0.0.1", PORT: "0", LOG_LEVEL: "fatal" };
const method = "greeting.GreetingService/Greeting";

const missing = withoutGo();
if (missing) {
  process.stderr.write(`${missing}: nothing was checked.\n`);
  process.exitCode = 1;
} else {
  const results = await check();
  process.stdout.write("| check | result |\n| --- | --- |\n");
  for (const { what, result, ok } of results) {
    process.stdout.write(`| ${what} | ${ok ? "" : "FAILED: "}${result} |\n`);
  }
  if (!results.every(({ ok }) => ok)) process.exitCode = 1;
}

async function check(): Promise<Result[]> {
  const whole = await startHost(greeter({ name: "whole", greeting: "Hello" }), { env: local });
  const broken = await startHost(
    greeter({ name: "broken", greeting: "Hello", calls: [grpc("away")] }),
    { env: { ...local, AWAY_ADDRESS: "127.0.0.1:1" } },
  );
  try {
    return [
      await h2spec(whole.port),
      ...(await clients(`127.0.0.1:${whole.port}`, `127.0.0.1:${broken.port}`)),
    ];
  } finally {
    await Promise.all([whole.close(), broken.close()]);
  }
}

async function h2spec(port: number): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "h2spec-"));
  try {
    const judge = async (seconds: number, ...sections: string[]) => {
      const report = join(folder, "report.xml");
      const where = ["-h", "127.0.0.1", "-p", String(port), "-o", String(seconds), "-j", report];
      await run("h2spec", [...where, ...sections]);
      // Its words may hold the bytes that came, which are no UTF-8.
      return casesOf(await readFile(report, "latin1"));
    };
    const first = await judge(2);
    // On a machine that is busy, 2 s may be too short for a frame: those are judged again by themselves.
    const doubtful = compare(first).unexpected.map((name) => name.split(" ", 1)[0] ?? "");
    const again = doubtful.length > 0 ? await judge(10, ...new Set(doubtful)) : [];
    const cases = first.map((one) =>
      one.name in explained ? one : (again.find(({ name }) => name === one.name) ?? one),
    );
    const { unexpected, outdated } = compare(cases);
    const count = (outcome: string) => cases.filter((one) => one.outcome === outcome).length;
    const notes = [
      ...unexpected.map((name) => `not explained: ${name}`),
      ...outdated.map((name) => `passes by now: ${name}`),
    ];
    const figures = `${count("passed")} of ${cases.length} cases pass, ${count("skipped")} are skipped, ${count("failed")} of ${Object.keys(explained).length} explained ones fail`;
    const ok = cases.length > 100 && unexpected.length === 0;
    return { what: "`h2spec`", result: [figures, ...notes].join("; "), ok };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function clients(whole: string, broken: string): Promise<Result[]> {
  const call = ["-plaintext", "-v"];
  const load = [
    "--insecure",
    "--call",
    method.replace("/", "."),
    "-n",
    "500",
    "-c",
    "5",
    "-O",
    "json",
  ];
  const list = await run("grpcurl", ["-plaintext", whole, "list"]);
  const described = await run("grpcurl", [
    "-plaintext",
    whole,
    "describe",
    "greeting.GreetingService",
  ]);
  const answer = await run("grpcurl", [...call, whole, method]);
  const refused = await run("grpcurl", [...call, broken, method]);
  const late = statusesOf(await run("ghz", [...load, "--timeout", "1us", whole]));
  const unknown = await run("ghz", [
    ...load.slice(0, 2),
    "greeting.GreetingService.Nothing",
    "-n",
    "1",
    whole,
  ]);
  const plain = statusesOf(await run("ghz", [...load, whole]));
  const zipped = statusesOf(await run("ghz", [...load, "-e", whole]));
  const health = await run("grpc-health-probe", ["-addr", whole]);
  const service = await run("grpc-health-probe", [
    "-addr",
    whole,
    "-service",
    "greeting.GreetingService",
  ]);
  const stranger = await run("grpc-health-probe", ["-addr", whole, "-service", "nothing"]);
  const says = (what: string, said: string, pattern: RegExp): Result => ({
    what,
    result: (pattern.exec(said)?.[0] ?? said.trim().replaceAll("\n", " ")).replaceAll(/\s+/g, " "),
    ok: pattern.test(said),
  });
  return [
    says("`grpcurl`, list by reflection", list, /^greeting\.GreetingService$/m),
    says("`grpcurl`, describe by reflection", described, /rpc Greeting \( .*/),
    says("`grpcurl`, a call", answer, /"message": "Hello"/),
    says("`grpcurl`, an error's code in its trailer", refused, /error-code: ERR_CALLEE/),
    says("`grpcurl`, an error's status", refused, /Code: Unavailable/),
    says("`ghz`, a deadline of 1 µs", late, /^\{"DeadlineExceeded":500\}$/),
    says("`ghz`, a method that is not there", unknown, /not found|does not include|no such/i),
    says("`ghz`, 500 calls, 5 at a time", plain, /^\{"OK":500\}$/),
    says("`ghz`, the same with gzip", zipped, /^\{"OK":500\}$/),
    says("`grpc-health-probe`, the server", health, /status: SERVING/),
    says("`grpc-health-probe`, its service", service, /status: SERVING/),
    says(
      "`grpc-health-probe`, an unknown service",
      stranger,
      /NotFound|unknown service|not found/i,
    ),
  ];
}

/** How often each status came, of ghz' report. */
function statusesOf(report: string): string {
  try {
    return JSON.stringify(JSON.parse(report).statusCodeDistribution);
  } catch {
    return report;
  }
}

/** What it says; how it ends is in that. The server is in this process, so nothing here may block it. */
function run(name: GoTool, args: readonly string[]): Promise<string> {
  const options = { encoding: "buffer", timeout: 120_000, maxBuffer: 2 ** 26 } as const;
  return new Promise((resolve) => {
    execFile(goTool(name), args, options, (_, stdout, stderr) =>
      resolve(`${stdout.toString("latin1")}${stderr.toString("latin1")}`),
    );
  });
}
