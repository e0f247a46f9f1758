import { loadConfig } from "#host/base/config";
import { HostError } from "#host/base/errors";
import { batchedOutput } from "./batched-output.ts";
import { loadCanary, parseCanary } from "./canary/canary.ts";
import { DeclarationError } from "./declarations/check.ts";
import { loadFunctions, localDir } from "./discover.ts";
import { clearData } from "./fresh.ts";
import { refreshGraphFiles, seedGraphFiles } from "./generate/graph-files.ts";
import type { Graph } from "./graph.ts";
import { startGraph } from "./launcher.ts";
import { createLogFormat } from "./log-format.ts";
import { parseStartOptions, type StartOptions, startUsage, UsageError } from "./options.ts";
import { showProgress } from "./progress.ts";
import { createReloader } from "./reload.ts";
import { claimRun, type RunClaim } from "./run-record.ts";
import { startWatchdog } from "./services/watchdog.ts";
import { listenForStop, type StopSignals } from "./stop-signals.ts";
import { welcome } from "./welcome.ts";

interface Session {
  options: StartOptions;
  reload: boolean;
  env: NodeJS.ProcessEnv;
  claim: RunClaim;
  signals: StopSignals;
}

/**
 * Runs the graph until a signal stops it. Resolves to the exit code: 0 stopped by a signal, 1 could
 * not start, 2 wrong options, configuration or declarations.
 */
export async function runSession(args: string[], { reload = false } = {}): Promise<number> {
  try {
    const options = parseStartOptions(args);
    if (options.help) {
      process.stdout.write(`${startUsage}\n`);
      return 0;
    }
    if (reload && options.oneProcess) {
      throw new UsageError("--one-process is not for npm run dev, which restarts single functions");
    }
    if (options.canary && options.oneProcess) {
      throw new UsageError("--one-process is not for --canary, which is a process of its own");
    }
    const env = { ...process.env, ...options.env };
    // Each function would say the same a little later, when much has been started in vain.
    loadConfig({ ...env, FUNCTION_TARGET: "gateway", PORT: undefined });
    const claim = claimRun(localDir, options.ports.gateway);
    try {
      await startWatchdog(localDir);
      await run({ options, reload, env, claim, signals: listenForStop() });
    } finally {
      claim.release();
    }
    return 0;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    const wrong = [UsageError, HostError, DeclarationError].some((kind) => error instanceof kind);
    return wrong ? 2 : 1;
  }
}

async function run({ options, reload, env, claim, signals }: Session): Promise<void> {
  const { stop, kill } = signals;
  const said = options.json ? process.stderr : process.stdout;
  const output = batchedOutput(process.stdout);
  process.once("exit", output.flush);
  const say = (line: string) => {
    output.flush();
    said.write(`${line}\n`);
  };
  const format = createLogFormat({ json: options.json, color: process.stdout.isTTY });
  const since = performance.now();
  let graph: Graph | undefined;

  kill.addEventListener("abort", async () => {
    say("Ending everything at once; npm run services:down looks for leftovers.");
    await graph?.kill();
    claim.release();
    process.exit(1);
  });
  await seedGraphFiles();
  const functions = await loadFunctions();
  const canary =
    options.canary === undefined
      ? undefined
      : await loadCanary(parseCanary(options.canary), functions);
  const written = await refreshGraphFiles(functions);
  if (written.length > 0) say(`The declared graph has changed; written: ${written.join(", ")}`);
  if (options.fresh) await clearData({ dataDir: localDir, env, report: say });

  const reloader = reload ? createReloader(say) : undefined;
  const progress = showProgress({ toStderr: options.json });
  try {
    graph = await startGraph({
      dataDir: localDir,
      ports: options.ports,
      env,
      oneProcess: options.oneProcess,
      canary,
      inspect: options.inspect,
      signal: stop,
      logs: (line) => output.write(format(line)),
      report: say,
      progress,
      ...(reloader && { onImport: reloader.onImport }),
    });
    await progress.end();
  } catch (error) {
    await progress.end(stop.aborted ? "stopped" : "given up");
    if (!stop.aborted) throw error;
    say("Stopped before everything was ready.");
    return;
  }
  claim.publish(graph.addresses, graph.rabbit.url);
  say(welcome(graph, (performance.now() - since) / 1_000));
  reloader?.watch(graph);

  await aborted(stop);
  reloader?.close();
  say("");
  await graph.stop();
  say("Everything is stopped.");
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
