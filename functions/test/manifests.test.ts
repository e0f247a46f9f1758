import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { parse } from "yaml";
import type { Definition } from "#host";
import { functionNames, functionsDir, loadFunctions } from "../local/discover.ts";
import { type Environment, problemsOf } from "./support/manifest-rules.ts";
import { at, build, type Manifest, overlaysOf } from "./support/manifests.ts";
import { meshProblemsOf } from "./support/mesh-rules.ts";

let definitions: Definition[];

before(async () => {
  definitions = (await loadFunctions()).flatMap(({ definition }) => definition ?? []);
});

/** dev-warm and dev-canary go with the mesh of dev; dev-external has one of its own. */
function environmentOf(overlay: string): Environment {
  const [namespace = overlay] = overlay.split("-");
  const mesh = overlaysOf("istio").includes(overlay) ? overlay : namespace;
  const folders = [`knative/overlays/${overlay}`, `istio/overlays/${mesh}`, "istio/mesh"];
  return { namespace, overlay, definitions, manifests: folders.flatMap(build) };
}

const allProblems = (environment: Environment) => [
  ...problemsOf(environment),
  ...meshProblemsOf(environment),
];

describe("every overlay says what the definitions say:", () => {
  for (const overlay of overlaysOf("knative")) {
    test(overlay, () => assert.deepEqual(allProblems(environmentOf(overlay)), []));
  }
});

/** Mistakes that people make, and the problem that each is found by. */
const mistakes: readonly [what: string, object: RegExp, make: Mistake, found: RegExp][] = [
  [
    "a port with a name",
    /^serving.*Service service-c$/,
    (service) => set(service, "spec.template.spec.containers.0.ports.0.name", "h2c"),
    /^service-c must have the port 8080 without a name/,
  ],
  [
    "another function's image",
    /^serving.*Service service-c$/,
    (service) => set(service, "spec.template.spec.containers.0.image", "service-b"),
    /^service-c runs the image service-b/,
  ],
  [
    "a variable that nothing reads",
    /ConfigMap settings/,
    (settings) => set(settings, "data.DEADLINE", "5s"),
    /^settings: the host reads no variable DEADLINE$/,
  ],
  [
    "a function without its database",
    /^serving.*Service service-g$/,
    (service) => set(service, "spec.template.spec.containers.0.env", []),
    /^service-g has the variables \[\], and needs \[MONGODB_URL\]$/,
  ],
  [
    "a public function",
    /^serving.*Service service-h$/,
    ({ metadata }) => set(metadata, "labels", {}),
    /^service-h has the visibility undefined$/,
  ],
  [
    "a missing label",
    /^serving.*Service service-a$/,
    (service) => set(service, "spec.template.metadata.labels.version", undefined),
    /^service-a lacks the labels/,
  ],
  [
    "a container that may write to its root",
    /^serving.*Service service-a$/,
    (service) =>
      set(service, "spec.template.spec.containers.0.securityContext.readOnlyRootFilesystem", false),
    /^service-a is not locked down$/,
  ],
  [
    "a queue without dead letters",
    /Job declare-queue$/,
    (job) => set(job, "spec.template.spec.containers.0.args", ["/app/main.js"]),
    /dead-letter exchange$/,
  ],
  [
    "a source that declares its queue by itself",
    /RabbitmqSource/,
    (source) => set(source, "spec.rabbitmqResourcesConfig.predeclared", false),
    /without dead letters$/,
  ],
  [
    "a source that never tries again",
    /RabbitmqSource/,
    (source) => set(source, "spec.delivery.retry", 0),
    /never tries again$/,
  ],
  [
    "events for the wrong function",
    /RabbitmqSource/,
    (source) => set(source, "spec.sink.ref.name", "service-e"),
    /sends to service-e$/,
  ],
  [
    "a callee without authorization",
    /AuthorizationPolicy service-g$/,
    (policy) => set(policy, "spec.rules", []),
    /^AuthorizationPolicy service-g: allows \[\], and the graph \[gateway,service-e\]$/,
  ],
  [
    "a caller too many",
    /AuthorizationPolicy service-g$/,
    (policy) =>
      set(policy, "spec.rules.0.from.0.source.serviceAccounts", [
        "gateway",
        "service-c",
        "service-e",
      ]),
    /^AuthorizationPolicy service-g: allows/,
  ],
  [
    "a caller too many at the activator",
    /AuthorizationPolicy edges-of-dev$/,
    (policy) =>
      set(
        policy,
        "spec.rules.0.from.0.source.notPrincipals.1",
        "cluster.local/ns/dev/sa/service-h",
      ),
    /^the activator lets .* through to service-a/,
  ],
  [
    "a mesh that upgrades to HTTP/2",
    /DestinationRule functions$/,
    (rule) => set(rule, "spec.trafficPolicy.connectionPool.http.useClientProtocol", false),
    /does not keep the client's protocol$/,
  ],
  [
    "plain text",
    /PeerAuthentication default$/,
    (policy) => set(policy, "spec.mtls.mode", "PERMISSIVE"),
    /not STRICT$/,
  ],
  [
    "an object in another namespace",
    /ServiceAccount service-b$/,
    ({ metadata }) => set(metadata, "namespace", "test"),
    /^ServiceAccount service-b lies in test$/,
  ],
];

type Mistake = (manifest: Manifest) => void;

describe("a mistake is found:", () => {
  for (const [what, object, make, found] of mistakes) {
    test(what, () => {
      const environment = structuredCloneOf(environmentOf("dev"));
      const manifest = environment.manifests.find((candidate) => object.test(titleOf(candidate)));
      assert.ok(manifest, `no object is named ${object}`);
      make(manifest);
      const problems = allProblems(environment);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", found);
    });
  }

  test("an image in prod whose tag can move", () => {
    const environment = structuredCloneOf(environmentOf("prod"));
    const gateway = environment.manifests.find((one) => /^serving.*gateway$/.test(titleOf(one)));
    assert.ok(gateway);
    set(
      gateway,
      "spec.template.spec.containers.0.image",
      "registry.example-api.com/greetings/gateway:latest",
    );
    assert.match(allProblems(environment).join(), /^prod: the image .*gateway:latest can change/);
  });

  test("a function without a manifest", () => {
    const environment = environmentOf("dev");
    const manifests = environment.manifests.filter((one) => !/^serving.*-h$/.test(titleOf(one)));
    const problems = allProblems({ ...environment, manifests });
    assert.ok(problems.includes("service-h has no Knative Service"), problems.join("\n"));
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

function titleOf({ apiVersion, kind, metadata }: Manifest): string {
  return `${apiVersion} ${kind} ${metadata.name}`;
}

function structuredCloneOf(environment: Environment): Environment {
  return { ...environment, manifests: structuredClone(environment.manifests) as Manifest[] };
}

function set(object: object, path: string, value: unknown): void {
  const segments = path.split(".");
  const last = segments.pop() ?? "";
  const parent =
    segments.length > 0 ? at<Record<string, unknown>>(object, segments.join(".")) : object;
  assert.ok(parent, path);
  (parent as Record<string, unknown>)[last] = value;
}
