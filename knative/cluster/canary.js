// Runs in a pod with the gateway's account (cluster/canary hands it to node): asks two revisions of a function in turn,
// or Prometheus about them, and decides whether the new one holds beside the old one. Exits with 0 where it does.
import { request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";

const timeoutMs = 10_000;

/** Why the new revision does not hold beside the old one; empty where it does. */
export function problemsOf(old, fresh, { min, points, factor, plus }) {
  if (fresh.requests < min) {
    return [`${fresh.requests} requests are too few to decide; at least ${min} are needed`];
  }
  const allowed = shareOf(old) + points / 100;
  const slowest = old.p95 === null ? Number.POSITIVE_INFINITY : old.p95 * factor + plus;
  return [
    ...(shareOf(fresh) > allowed
      ? [`${percent(shareOf(fresh))} of its requests failed; at most ${percent(allowed)} may`]
      : []),
    ...(fresh.p95 > slowest
      ? [`its p95 is ${milliseconds(fresh.p95)}; at most ${milliseconds(slowest)} is allowed`]
      : []),
  ];
}

/** Whether so many have failed that the step cannot end well, whatever follows. */
export function isLost(old, fresh, { min, points, planned }) {
  return fresh.requests >= min && fresh.failed > planned * (shareOf(old) + points / 100);
}

/** Durations in ms, of failed requests too. */
export function figuresOf(samples) {
  const durations = samples.map(({ ms }) => ms).sort((a, b) => a - b);
  const reasons = {};
  for (const { failure } of samples) {
    if (failure !== undefined) reasons[failure] = (reasons[failure] ?? 0) + 1;
  }
  return {
    requests: samples.length,
    failed: samples.filter(({ failure }) => failure !== undefined).length,
    p95: durations[Math.ceil(durations.length * 0.95) - 1] ?? null,
    reasons,
  };
}

function shareOf({ failed, requests }) {
  return requests === 0 ? 0 : failed / requests;
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}

function milliseconds(ms) {
  return ms === null ? "-" : `${Math.round(ms)} ms`;
}

/** One request on a connection of its own: one that was kept could be closed just as it is used, which is no failure. */
function ask(url) {
  const since = performance.now();
  return new Promise((resolve) => {
    const end = (failure) => resolve({ ms: performance.now() - since, failure });
    const asked = request(url, { agent: false }, (answer) => {
      answer.on("error", ({ code }) => end(code));
      answer.on("end", () => end(answer.statusCode < 400 ? undefined : String(answer.statusCode)));
      answer.resume();
    });
    asked.setTimeout(timeoutMs, () => {
      end(`no answer in ${timeoutMs / 1_000} s`);
      asked.destroy();
    });
    asked.on("error", ({ code, message }) => end(code ?? message));
    asked.end();
  });
}

/** Asks until one answer is good: the revision then has an instance, before any traffic comes to it. */
async function warm(name, url, seconds) {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const { failure } = await ask(url);
    if (failure === undefined) return;
    if (performance.now() > end) {
      throw new Error(`${name} gave no good answer in ${seconds} s; the last one: ${failure}`);
    }
    await wait(500);
  }
}

/** Asks both at a steady rate, whatever their answers take. Ends early where the new one cannot hold any more. */
async function askBoth({ old, fresh }, { seconds, rate, ...limits }) {
  const planned = Math.round(seconds * rate);
  const samples = { old: [], fresh: [] };
  const running = new Set();
  const send = (name, url) => {
    const one = ask(url).then((sample) => {
      samples[name].push(sample);
      running.delete(one);
    });
    running.add(one);
  };
  const figures = () => [figuresOf(samples.old), figuresOf(samples.fresh)];
  const since = performance.now();
  for (let sent = 0; sent < planned; sent++) {
    await wait(Math.max(0, since + (sent * 1_000) / rate - performance.now()));
    if (isLost(...figures(), { ...limits, planned })) break;
    send("old", old.url);
    send("fresh", fresh.url);
  }
  await Promise.all(running);
  return figures();
}

/** As the sidecars of the callers count them; this pod's own and the activator's are left out. */
async function askPrometheus(base, { namespace, revision, seconds, time }) {
  const selector = [
    'reporter="source"',
    'source_workload!~"activator|canary-.*"',
    `destination_service_namespace="${namespace}"`,
    `destination_service_name=~"${revision}(-private)?"`,
  ].join(", ");
  const range = `[${seconds}s]`;
  const count = (more) => `increase(istio_requests_total{${selector}${more}}${range})`;
  const query = async (text) => {
    const body = new URLSearchParams({ query: text, time: String(time / 1_000) });
    const response = await fetch(`${base}/api/v1/query`, { method: "POST", body });
    const { status, error, data } = await response.json();
    if (status !== "success") throw new Error(`Prometheus: ${error ?? response.status}`);
    const value = Number(data.result[0]?.value[1] ?? Number.NaN);
    return Number.isFinite(value) ? value : null;
  };
  // Envoy reports 0 for a request whose connection failed. A gRPC call fails with the HTTP status 200.
  const failures = [', response_code=~"0|5.."', ', grpc_response_status=~"[1-9][0-9]*"'];
  const buckets = `rate(istio_request_duration_milliseconds_bucket{${selector}}${range})`;
  const [requests, failed, p95] = await Promise.all([
    query(`sum(${count("")})`),
    query(`sum(${failures.map(count).join(" or ")})`),
    query(`histogram_quantile(0.95, sum by (le) (${buckets}))`),
  ]);
  return { requests: Math.round(requests ?? 0), failed: Math.round(failed ?? 0), p95, reasons: {} };
}

/** A step's figures of what the callers themselves asked. */
async function watchBoth({ old, fresh }, { seconds, min, prometheus, namespace }) {
  const begin = Date.now();
  await wait(seconds * 1_000);
  const at = (revision, time) => askPrometheus(prometheus, { namespace, revision, seconds, time });
  const [before, after] = [await at(old.name, Date.now()), await at(fresh.name, Date.now())];
  // The last step leaves the old one nothing: what it did just before is what the new one is compared with.
  return [before.requests < min ? await at(old.name, begin) : before, after];
}

function row(step, name, { requests, failed, p95, reasons }) {
  const share = percent(shareOf({ requests, failed })).padStart(8);
  const why = Object.entries(reasons).map(([reason, times]) => ` ${reason} (${times})`);
  const cells = [step.padEnd(5), name.padEnd(24), String(requests).padStart(8), share];
  return `${[...cells, milliseconds(p95).padStart(9)].join(" ")} ${why}`.trimEnd();
}

async function main(args) {
  const text = { type: "string" };
  const options = { old: text, new: text, "old-url": text, "new-url": text, step: text };
  const numbers = ["seconds", "rate", "min", "points", "factor", "plus"];
  const { values } = parseArgs({
    args,
    options: {
      ...options,
      ...Object.fromEntries(numbers.map((name) => [name, text])),
      ...{ run: text, prometheus: text, namespace: text },
    },
  });
  const revisions = {
    old: { name: values.old, url: values["old-url"] },
    fresh: { name: values.new, url: values["new-url"] },
  };
  const given = Object.fromEntries(numbers.map((name) => [name, Number(values[name])]));
  const { prometheus, namespace, step } = values;
  if (values.run === "warm") {
    for (const { name, url } of Object.values(revisions)) await warm(name, url, given.seconds);
    return 0;
  }
  const [old, fresh] = prometheus
    ? await watchBoth(revisions, { ...given, prometheus, namespace })
    : await askBoth(revisions, given);
  process.stdout.write(`${row(step, values.old, old)}\n${row(step, values.new, fresh)}\n`);
  const problems = problemsOf(old, fresh, given);
  if (problems.length > 0) process.stdout.write(`${values.new}: ${problems.join("; ")}\n`);
  return problems.length === 0 ? 0 : 1;
}

// Tests import it, where no --run is given.
if (process.argv.includes("--run")) {
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    ({ message }) => {
      process.stdout.write(`${message}\n`);
      process.exitCode = 1;
    },
  );
}
