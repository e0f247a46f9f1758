import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { parse } from "yaml";
import type { Definition } from "#host";
import { functionNames, functionsDir, loadFunctions } from "../local/discover.ts";
import { environmentOf } from "./support/environment.ts";
import { mistakes } from "./support/manifest-mistakes.ts";
import { problemsOf } from "./support/manifest-rules.ts";
import { at, type Manifest, overlaysOf, set } from "./support/manifests.ts";

let definitions: Definition[];

before(async () => {
  definitions = (await loadFunctions()).flatMap(({ definition }) => definition ?? []);
});

describe("every overlay says what the definitions say:", () => {
  for (const overlay of overlaysOf("knative")) {
    test(overlay, () => assert.deepEqual(problemsOf(environmentOf(overlay, definitions)), []));
  }
});

describe("a mistake is found:", () => {
  for (const [what, object, path, value, found, overlay = "dev"] of mistakes) {
    test(what, () => {
      const environment = environmentOf(overlay, definitions);
      const manifest = environment.manifests.find((candidate) => object.test(titleOf(candidate)));
      assert.ok(manifest, `no object is named ${object}`);
      set(manifest, path, value);
      const problems = problemsOf(environment);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", found);
    });
  }

  test("a function without a manifest", () => {
    const environment = environmentOf("dev", definitions);
    const manifests = environment.manifests.filter((one) => !/^serving.*-h$/.test(titleOf(one)));
    const problems = problemsOf({ ...environment, manifests });
    assert.ok(
      problems.some((problem) => problem.startsWith("service-h has no Knative Service")),
      problems.join("\n"),
    );
  });
});

test("skaffold builds every function from the one Dockerfile, and deploys overlays that there are", () => {
  const root = join(functionsDir, "..");
  const { build, manifests, profiles } = parse(readFileSync(join(root, "skaffold.yaml"), "utf8"));
  const docker = (name: string) => ({
    dockerfile: "functions/Dockerfile",
    buildArgs: { FUNCTION: name },
  });
  const expected = functionNames().map((name) => ({ image: name, docker: docker(name) }));
  assert.deepEqual(build.artifacts, expected);
  const used = [manifests, ...profiles.map((profile: { manifests?: object }) => profile.manifests)];
  const paths = used.flatMap((one) => at<string[]>(one, "kustomize.paths") ?? []);
  for (const path of ["functions/Dockerfile", "functions/Dockerfile.dockerignore", ...paths]) {
    assert.ok(existsSync(join(root, path)), path);
  }
});

/** With the group, which tells Knative's Services from Kubernetes'. */
function titleOf({ apiVersion, kind, metadata }: Manifest): string {
  return `${apiVersion} ${kind} ${metadata.name}`;
}
