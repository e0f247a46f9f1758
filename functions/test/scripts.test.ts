import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { functionsDir } from "../local/discover.ts";
import { which } from "../local/services/process.ts";
import { shellcheck } from "./support/shellcheck.ts";

const folder = join(functionsDir, "../knative/cluster");
const scripts = {
  create: "kubectl",
  install: "istioctl",
  deploy: "kubectl",
  forward: "kubectl",
  debug: "kubectl",
  strangers: "kubectl",
  canary: "kubectl",
  teardown: "docker",
};

function run(name: string, args: readonly string[], env = process.env) {
  return spawnSync(join(folder, name), args, { env, encoding: "utf8", timeout: 20_000 });
}

describe("the cluster's scripts", () => {
  for (const [name, tool] of Object.entries(scripts)) {
    test(`${name} --help names every variable that it reads`, () => {
      const { status, stdout } = run(name, ["--help"]);
      assert.equal(status, 0);
      const text = readFileSync(join(folder, name), "utf8");
      const variables = [...text.matchAll(/^([A-Z_]+)=\$\{\1:-/gm)].map(([, variable]) => variable);
      for (const variable of variables) assert.match(stdout, new RegExp(`^${variable}\\b`, "m"));
    });

    test(`${name} refuses an argument that it does not know`, () => {
      const { status, stderr } = run(name, ["nonsense"]);
      assert.equal(status, 2);
      assert.match(stderr, /nonsense|takes no argument/);
    });

    test(`${name} names what is missing on the machine, and where it comes from`, async () => {
      const bin = await mkdtemp(join(tmpdir(), "bin-"));
      try {
        for (const command of ["bash", "cat", "dirname", "env"]) {
          await symlink(which(command, process.env) ?? "", join(bin, command));
        }
        const { status, stderr } = run(name, [], { PATH: bin });
        assert.equal(status, 1, stderr);
        assert.match(stderr, new RegExp(`^- ${tool}: https://`, "m"));
      } finally {
        await rm(bin, { recursive: true });
      }
    });
  }

  test("are what shellcheck takes", (context) => {
    const command = shellcheck();
    if (!command) {
      context.skip("shellcheck is not on PATH, and python3 is not there to install it");
      return;
    }
    const { status, stdout } = spawnSync(command, ["-x", ...Object.keys(scripts)], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout);
  });
});
