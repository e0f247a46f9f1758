/** What images are built of, and which of them take files while they run. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { functionNames, functionsDir, loadFunctions } from "../local/discover.ts";
import { eachService, environmentOf, servicesOf } from "./support/environment.ts";
import { at } from "./support/manifests.ts";

const functions = await loadFunctions();

describe("skaffold.yaml", () => {
  const root = join(functionsDir, "..");
  const { build, manifests, profiles } = parse(readFileSync(join(root, "skaffold.yaml"), "utf8"));
  const docker = (name: string) => ({
    dockerfile: "functions/Dockerfile",
    buildArgs: { FUNCTION: name },
  });

  test("builds every function from the one Dockerfile, and deploys overlays that there are", () => {
    const expected = functionNames().map((name) => ({ image: name, docker: docker(name) }));
    assert.deepEqual(build.artifacts, expected);
    const used = [manifests, ...profiles.map((one: { manifests?: object }) => one.manifests)];
    const paths = used.flatMap((one) => at<string[]>(one, "kustomize.paths") ?? []);
    for (const path of ["functions/Dockerfile", "functions/Dockerfile.dockerignore", ...paths]) {
      assert.ok(existsSync(join(root, path)), path);
    }
  });

  test("carries files in profile sync alone, into every function that its overlay has", () => {
    const using = profiles.filter((one: object) => /"(sync|target)":/.test(JSON.stringify(one)));
    assert.deepEqual(
      using.map(({ name }: { name: string }) => name),
      ["sync"],
    );
    const [sync] = using;
    const services = servicesOf(environmentOf("dev-sync", functions)).map(({ name }) => name);
    const expected = services.map((name) => ({
      image: name,
      docker: { ...docker(name), target: "development" },
      sync: { manual: [{ src: `functions/{host,${name}}/**/*`, dest: "/app" }] },
    }));
    assert.deepEqual(sync.build.artifacts, expected);
    assert.deepEqual(sync.activation, [{ kubeContext: "kind-.*", command: "dev" }]);
    assert.deepEqual(sync.manifests.kustomize.paths, [
      "knative/overlays/dev-sync",
      "istio/overlays/dev",
    ]);
  });

  test("goes back from sync's images in every profile with an overlay of its own", () => {
    const others = profiles.filter(
      (one: { name: string; manifests?: object }) => one.manifests && one.name !== "sync",
    );
    assert.ok(others.length >= 7);
    for (const { name, build } of others) {
      const images = build?.artifacts?.map(({ image }: { image: string }) => image);
      assert.deepEqual(images, functionNames(), name);
    }
  });
});

test("one instance of each function takes the files that are carried in", () => {
  for (const [{ name }, service] of eachService(environmentOf("dev-sync", functions))) {
    const all = at<Record<string, string>>(service, "spec.template.metadata.annotations") ?? {};
    const scale = ["min", "max"].map((end) => all[`autoscaling.knative.dev/${end}-scale`]);
    assert.deepEqual(scale, ["1", "1"], name);
  }
});

describe("functions/Dockerfile", () => {
  const text = (name: string) => readFileSync(join(functionsDir, name), "utf8");
  /** By name, the last one, which is what runs elsewhere, as "". */
  const stages = new Map(
    text("Dockerfile")
      .split(/^(?=FROM )/m)
      .slice(1)
      .map((stage) => [/^FROM \S+ AS (\S+)/.exec(stage)?.[1] ?? "", stage]),
  );
  const copiedIn = (...names: string[]) =>
    names.flatMap((name) =>
      [
        ...(stages.get(name) ?? "").matchAll(/^COPY (?!--from)(?:--chown=\S+ )?(.+) \S+$/gm),
      ].flatMap(([, sources = ""]) => sources.split(" ")),
    );
  const shared = ["package.json", "package-lock.json", ".npmrc", "tsconfig.json", "proto/gen"];
  const own = ["functions/host", `functions/\${FUNCTION}`];

  test("builds an image again for its own folder and what all functions share, and for nothing else", () => {
    assert.deepEqual(copiedIn("packages", "build", "compiled", ""), [
      ...shared,
      ...[
        "functions/bundle.ts",
        "functions/left-out.ts",
        "functions/sbom.ts",
        "functions/stack-map.ts",
      ],
      ...own,
    ]);
    const ignored = text("Dockerfile.dockerignore")
      .split("\n")
      .filter((line) => line && !/^#|\*/.test(line))
      .map((line) => line.replace("!", ""));
    for (const path of ignored) assert.ok(existsSync(join(functionsDir, "..", path)), path);
  });

  test("has what takes saved files in the development stage alone, on which no other stands", () => {
    assert.deepEqual(copiedIn("development"), [
      "functions/local/folder-watcher.ts",
      "functions/local/in-place",
      ...own,
    ]);
    stages.delete("development");
    assert.deepEqual([...stages.keys()], ["packages", "build", "compiled", ""]);
    for (const stage of stages.values()) {
      assert.doesNotMatch(stage, /in-place|folder-watcher|(FROM |--from=)development/);
    }
  });
});
