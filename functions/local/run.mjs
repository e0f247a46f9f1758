/**
 * Runs a command of this clone: `node functions/local/run.mjs <command> [arguments]`, which is what
 * the npm scripts do. Plain JavaScript and no dependency, for it has to work on any Node from 20
 * on, in a clone where nothing is installed: it installs the dependencies, and runs the command,
 * which is TypeScript, on the Node 24 that is one of them.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const commands = {
  start: "start.ts",
  dev: "dev.ts",
  invoke: "invoke.ts",
  "dead-letters": "dead-letters.ts",
  new: "new.ts",
  "services:down": "services-down.ts",
  test: "test.ts",
  fuzz: "fuzz.ts",
  conformance: "conformance.ts",
  check: "check.ts",
  generate: "generate/generate.ts",
  bench: "../bench/bench.ts",
  chaos: "../chaos/chaos.ts",
  screenshots: "../ui/screenshots.ts",
};

const oldest = [20, 0];
/** From here on Node runs TypeScript, and calls that stable. */
const wanted = [24, 12];

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const pinnedNode = join(root, "node_modules/.bin/node");
const own = process.versions.node.split(".").map(Number);

await main(process.argv.slice(2));

async function main([name = "", ...args]) {
  if (!isAtLeast(oldest)) {
    fail(`Node ${oldest[0]} or newer is needed, this is ${process.version} (${process.execPath}).`);
  }
  const file = Object.hasOwn(commands, name) ? join(here, commands[name]) : undefined;
  if (!file) fail(`There is no command "${name}", but: ${Object.keys(commands).join(", ")}.`);

  const reason = whyInstall();
  if (reason) {
    say(`Installing the dependencies with npm ci, which takes about half a minute: ${reason}.`);
    // --include=dev: with NODE_ENV=production npm would leave out the tools that run everything.
    const code = await runNpm(["ci", "--include=dev", "--loglevel=error"]);
    if (code !== 0) fail(`npm ci failed with exit code ${code}; what it says is above.`);
    const missing = whyInstall();
    if (missing) fail(`npm ci has run, but ${missing}. Are install scripts switched off for npm?`);
  }

  if (isAtLeast(wanted)) {
    process.argv = [process.execPath, file, ...args];
    await import(pathToFileURL(file).href);
  } else {
    process.exitCode = await runToItsEnd(pinnedNode, [...process.execArgv, file, ...args]);
  }
}

function isAtLeast([major, minor]) {
  return own[0] > major || (own[0] === major && own[1] >= minor);
}

/** Why node_modules is not what package-lock.json asks for; undefined when it is. */
function whyInstall() {
  const installed = readPackages("node_modules/.package-lock.json");
  if (!installed) return "none are installed yet";
  for (const [path, { version, optional }] of Object.entries(readPackages("package-lock.json"))) {
    // What is optional is left out on the platforms that it is not for; "" is this package.
    if (path === "" || installed[path]?.version === version) continue;
    if (optional && !installed[path]) continue;
    const name = path.replace(/^.*node_modules\//, "");
    return `package-lock.json asks for ${name} ${version}, which is not installed`;
  }
  if (!isAtLeast(wanted) && !existsSync(pinnedNode)) {
    return `Node ${wanted.join(".")} or newer is needed to run TypeScript, and is not installed here`;
  }
  return undefined;
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), "utf8")).packages;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** npm as it was called itself, else the one on PATH. What it says goes to stderr. */
function runNpm(args) {
  const script = process.env.npm_execpath;
  const [file, ...before] = script?.endsWith(".js") ? [process.execPath, script] : ["npm"];
  return runToItsEnd(file, [...before, ...args], ["inherit", 2, "inherit"]);
}

/**
 * The exit code of a command, which ends before we do: a signal is passed on, and waited for. A
 * Ctrl-C then reaches it twice, which the commands know.
 */
function runToItsEnd(file, args, stdio = ["inherit", "inherit", "inherit", "ipc"]) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: root, stdio });
    const pass = (signal) => child.kill(signal);
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, pass);
    child.once("error", (error) => fail(`${file} cannot be started: ${error.message}`));
    child.once("exit", (code, signal) => {
      for (const one of signals) process.off(one, pass);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function fail(line) {
  say(line);
  process.exit(1);
}
