import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { functionsDir } from "../local/discover.ts";
import { which } from "../local/services/process.ts";
import { at, build, type Manifest, overlaysOf, set } from "./support/manifests.ts";
import { schemaProblems } from "./support/schemas.ts";

const root = join(functionsDir, "..");
const folders = [
  ...overlaysOf("knative").map((name) => `knative/overlays/${name}`),
  ...overlaysOf("istio").map((name) => `istio/overlays/${name}`),
  "istio/mesh",
  "istio/mesh-metrics",
];

describe("every object is what Kubernetes, Knative and Istio take:", () => {
  for (const folder of folders) {
    test(folder, () => {
      const manifests = build(folder);
      assert.ok(manifests.length > 0);
      assert.deepEqual(manifests.flatMap(schemaProblems), []);
    });
  }
});

const container = "spec.template.spec.containers.0";
const mistakes: readonly [
  what: string,
  folder: string,
  kind: string,
  path: string,
  value: unknown,
][] = [
  [
    "a field that a container does not have",
    "knative/overlays/dev",
    "Service",
    container,
    { imag: 1 },
  ],
  [
    "a number that is text",
    "knative/overlays/dev",
    "Service",
    "spec.template.spec",
    { timeoutSeconds: "60s" },
  ],
  ["a field that a Job does not have", "knative/overlays/dev", "Job", "spec", { retries: 3 }],
  [
    "a volume that a StatefulSet does not have",
    "knative/overlays/dev",
    "StatefulSet",
    "spec",
    { volumes: [] },
  ],
  [
    "a misspelt field of the source",
    "knative/overlays/dev",
    "RabbitmqSource",
    "spec.rabbitmqResourcesConfig",
    { paralellism: 1 },
  ],
  [
    "a mode that mTLS does not have",
    "istio/overlays/dev",
    "PeerAuthentication",
    "spec.mtls",
    { mode: "ON" },
  ],
  [
    "an empty value, which Istio's webhook refuses",
    "istio/mesh",
    "AuthorizationPolicy",
    "spec.rules.0.when.0",
    { notValues: [""] },
  ],
  ["a field that no rule has", "istio/overlays/dev", "AuthorizationPolicy", "spec", { rule: [] }],
  [
    "a connection pool's misspelt field",
    "istio/overlays/dev",
    "DestinationRule",
    "spec.trafficPolicy.connectionPool.http",
    { useClientProtocl: true },
  ],
  [
    "a misspelt field of a network's policy",
    "knative/overlays/dev",
    "NetworkPolicy",
    "spec.ingress.0.ports.0",
    { targetPort: 80 },
  ],
  [
    "a field that a budget does not have",
    "knative/overlays/prod",
    "PodDisruptionBudget",
    "spec",
    { minReplicas: 1 },
  ],
  ["a sidecar's misspelt field", "istio/overlays/dev", "Sidecar", "spec.egress.0", { host: [] }],
  [
    "a label that is no text",
    "istio/overlays/dev",
    "DestinationRule",
    "metadata.labels",
    { tier: 1 },
  ],
];

describe("a mistake is found:", () => {
  for (const [what, folder, kind, path, value] of mistakes) {
    test(what, () => {
      const manifest = build(folder).find((one) => one.kind === kind && at(one, path)) as Manifest;
      assert.deepEqual(schemaProblems(manifest), []);
      Object.assign(at<object>(manifest, path) ?? {}, value);
      assert.notDeepEqual(schemaProblems(manifest), []);
    });
  }
});

/** As documents: it does not look into a List. */
function validate(manifests: readonly Manifest[]) {
  const input = manifests.map((one) => JSON.stringify(one)).join("\n---\n");
  return spawnSync("istioctl", ["validate", "--filename", "-"], { input, encoding: "utf8" });
}

describe("the tools take it as well:", () => {
  const { env } = process;

  test("istioctl analyze", {
    skip: which("istioctl", env) ? false : "istioctl is not on PATH",
  }, () => {
    const text = JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: ["knative/overlays/dev", "istio/overlays/dev", "istio/mesh-metrics"].flatMap((path) =>
        build(path),
      ),
    });
    const args = ["analyze", "--use-kube=false", "--output", "json", "-"];
    const { stdout, stderr } = spawnSync("istioctl", args, { input: text, encoding: "utf8" });
    assert.ok(stdout, stderr);
    const messages = JSON.parse(stdout) as { level: string }[];
    const errors = messages.filter(({ level }) => level === "Error");
    assert.deepEqual(errors, []);
  });

  for (const path of folders.filter((one) => one.startsWith("istio/"))) {
    test(`istioctl validate, ${path}`, {
      skip: which("istioctl", env) ? false : "istioctl is not on PATH",
    }, () => {
      const { status, stderr } = validate(build(path));
      assert.equal(status, 0, stderr);
    });
  }
  test("istioctl validate finds an empty value", {
    skip: which("istioctl", env) ? false : "istioctl is not on PATH",
  }, () => {
    const manifests = build("istio/mesh");
    const policy = manifests.find(({ kind }) => kind === "AuthorizationPolicy");
    set(policy as Manifest, "spec.rules.0.when.0.notValues", [""]);
    assert.notEqual(validate(manifests).status, 0);
  });

  const skaffold = which("skaffold", env);
  for (const profile of [
    "kind",
    "sync",
    "gke",
    "warm",
    "test",
    "external",
    "canary",
    "bridge",
    "load",
    "debug",
  ]) {
    test(`skaffold diagnose, profile ${profile}`, {
      skip: skaffold ? false : "skaffold is not on PATH",
    }, () => {
      const args = ["diagnose", "--yaml-only", "--profile", profile, "--interactive=false"];
      const { status, stdout, stderr } = spawnSync("skaffold", args, {
        cwd: root,
        encoding: "utf8",
      });
      assert.equal(status, 0, stderr);
      assert.match(stdout, /image: service-h/);
    });
  }
});
