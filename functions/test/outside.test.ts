/** What requests from outside may ask: of the policies, of the components for an edge, and of a real Envoy where there is one. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import gateway from "../gateway/index.ts";
import { type Deployable, functionsDir, loadFunctions } from "../local/discover.ts";
import { ask } from "./support/ask.ts";
import { type Environment, environmentOf, find, ingress } from "./support/environment.ts";
import { startEnvoy } from "./support/envoy.ts";
import { copyManifests, type GeneratedCopy } from "./support/generated.ts";
import type { Mistake } from "./support/manifest-mistakes.ts";
import { problemsOf } from "./support/manifest-rules.ts";
import { at, build, type Manifest, set, titleOf } from "./support/manifests.ts";
import { normalizations, normalized, writtenOtherwise } from "./support/normalize.ts";
import { componentMistakes, outsideMistakes } from "./support/outside-mistakes.ts";
import { insidePaths, passes } from "./support/outside-rules.ts";
import { counts, httpFilterOf } from "./support/rate-limit.ts";
import { openRaw } from "./support/raw.ts";
import { schemaProblems } from "./support/schemas.ts";
import { principalOf } from "./support/strangers.ts";
import { startTestHost, type TestHost } from "./support/test-host.ts";
import { without } from "./support/tools.ts";

const root = join(functionsDir, "..");
const principal = principalOf(ingress, "dev");
let functions: Deployable[];

before(async () => {
  functions = await loadFunctions();
});

/** A request whose target is written as it is. */
async function askAs(port: number, target: string): Promise<string> {
  using connection = await openRaw(port);
  connection.write(
    `GET ${target} HTTP/1.1\r\nHost: api.dev.example-api.com\r\nConnection: close\r\n\r\n`,
  );
  return await connection.closed;
}

/** An answer that is for the inside alone: metrics, or 204 of a wake-up. */
const isInside = (answer: string) => /^HTTP\/1.1 204|^# TYPE /m.test(answer);

function assertFound([what, object, path, value, found]: Mistake, environment: Environment): void {
  const manifest = environment.manifests.find((one) => object.test(titleOf(one)));
  assert.ok(manifest, `${what}: no object is named ${object}`);
  set(manifest, path, value);
  assert.match(problemsOf(environment).join("\n"), found);
}

describe("what is for the inside", () => {
  let host: TestHost;

  before(async () => {
    host = await startTestHost(gateway);
  });
  after(() => host?.[Symbol.asyncDispose]());

  for (const normalization of normalizations) {
    test(`is refused to those outside however its path is written, with paths normalized by ${normalization}`, async () => {
      const environment = environmentOf("dev", functions);
      let answered = 0;
      for (const target of insidePaths.flatMap(writtenOtherwise)) {
        const path = normalized(target, normalization);
        if (path === undefined || !isInside(await askAs(host.port, path))) continue;
        answered += 1;
        for (const where of ["function", "activator"] as const) {
          const passing = passes(environment, "gateway", where, { principal, path });
          assert.ok(!passing.includes(true), `${target} passes at the ${where}`);
        }
      }
      assert.ok(answered >= 5, `${answered} ways of writing it were answered`);
    });
  }

  test("is open to callers inside", () => {
    const environment = environmentOf("dev", functions);
    const asked = { principal: principalOf("gateway", "dev"), path: "/metrics" };
    for (const where of ["function", "activator"] as const) {
      assert.ok(!passes(environment, "service-a", where, asked).includes(false), where);
    }
  });

  test("the mesh says how paths are normalized", () => {
    const { spec } = parse(readFileSync(join(root, "knative/cluster/istio.yaml"), "utf8"));
    assert.deepEqual(spec.meshConfig.pathNormalization, { normalization: "BASE" });
  });

  test("Envoy normalizes paths as these tests do, and its refusal has no gap", {
    skip: without("envoy"),
  }, async () => {
    const policy = find(environmentOf("dev", functions), "AuthorizationPolicy", "inside-only");
    const refused = at<string[]>(policy, "spec.rules.0.to.0.operation.paths") ?? [];
    await using open = await startEnvoy(host.port, []);
    await using closed = await startEnvoy(host.port, [denies(refused)]);
    for (const target of insidePaths.flatMap(writtenOtherwise)) {
      const path = normalized(target, "BASE");
      const expected = path !== undefined && isInside(await askAs(host.port, path));
      assert.equal(isInside(await askAs(open.port, target)), expected, target);
      assert.ok(!isInside(await askAs(closed.port, target)), `${target} passes`);
    }
    assert.equal((await ask(closed.port, "/healthz")).status, 200);
  });
});

/** As istiod writes a DENY rule with paths, without its source. */
function denies(paths: readonly string[]) {
  const rules = paths.map((exact) => ({ url_path: { path: { exact } } }));
  const policy = { permissions: [{ or_rules: { rules } }], principals: [{ any: true }] };
  return {
    name: "envoy.filters.http.rbac",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
      rules: { action: "DENY", policies: { inside: policy } },
    },
  };
}

describe("a mistake is found:", () => {
  for (const mistake of outsideMistakes) {
    test(mistake[0], () => assertFound(mistake, environmentOf("dev", functions)));
  }
});

test("a mistake is found: a budget where one instance stands", () => {
  const environment = environmentOf("dev", functions);
  const budget = find(
    environmentOf("prod", functions),
    "PodDisruptionBudget",
    "gateway",
  ) as Manifest;
  set(budget, "metadata.namespace", "dev");
  assert.deepEqual(problemsOf({ ...environment, manifests: [...environment.manifests, budget] }), [
    "PodDisruptionBudget gateway: one instance stands in dev, which needs no budget",
  ]);
});

describe("with the components for an edge,", () => {
  let copy: GeneratedCopy;

  before(async () => {
    copy = await copyManifests();
    for (const overlay of ["dev", "prod"]) {
      const path = join(copy.root, `istio/overlays/${overlay}/kustomization.yaml`);
      const added = ["jwt", "rate-limit"].map((name) => `  - ../../components/${name}\n`).join("");
      writeFileSync(path, `${readFileSync(path, "utf8")}${added}`);
    }
    // As cluster/deploy lays it over the overlay.
    const folder = join(copy.root, "knative/cluster/prod");
    await mkdir(folder);
    const kustomization = {
      resources: ["../../overlays/prod"],
      components: ["../../components/cert-manager"],
      namespace: "prod",
    };
    writeFileSync(join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
  });
  after(() => copy?.[Symbol.asyncDispose]());

  const dev = (): Environment => environmentOf("dev", functions, copy.root);
  const prod = (): Environment => ({
    ...environmentOf("prod", functions, copy.root),
    manifests: ["knative/cluster/prod", "istio/overlays/prod"].flatMap((path) =>
      build(path, copy.root),
    ),
  });

  for (const [overlay, environment] of Object.entries({ dev, prod })) {
    test(`${overlay} says what the declarations say, in what Kubernetes takes`, () => {
      const { manifests } = environment();
      assert.deepEqual(manifests.flatMap(schemaProblems), []);
      assert.deepEqual(problemsOf(environment()), []);
      const kinds = manifests.map(({ kind }) => kind);
      assert.ok(kinds.includes("RequestAuthentication") && kinds.includes("EnvoyFilter"));
      assert.equal(kinds.includes("Certificate"), overlay === "prod");
    });
  }

  for (const mistake of componentMistakes) {
    test(`a mistake is found: ${mistake[0]}`, () => assertFound(mistake, dev()));
  }

  test("a mistake is found: a certificate of another environment", () => {
    const name = "Certificate certificate";
    const found = /^Certificate certificate: is for \[\*\.dev\..*not for the wildcard of prod$/;
    const value = ["*.dev.example-api.com"];
    assertFound([name, /^Certificate /, "spec.dnsNames", value, found], prod());
  });

  test("the gateway's keys are those of the file", () => {
    const [rule] = at<{ jwks: string }[]>(
      find(dev(), "RequestAuthentication", "token"),
      "spec.jwtRules",
    ) ?? [{ jwks: "" }];
    const file = readFileSync(join(root, "istio/components/jwt/jwks.json"), "utf8");
    assert.deepEqual(JSON.parse(rule?.jwks ?? ""), JSON.parse(file));
  });

  test("two environments have filters of their own, and each counts its own hosts", () => {
    const [own, other] = [dev(), prod()].map(({ manifests }) =>
      manifests.find(({ kind }) => kind === "EnvoyFilter"),
    ) as [Manifest, Manifest];
    assert.notEqual(own.metadata.name, other.metadata.name);
    assert.ok(counts(own, "api.dev.example-api.com") && !counts(other, "api.dev.example-api.com"));
  });

  test("Envoy takes the filter, and answers 429 once the bucket is empty", {
    skip: without("envoy"),
  }, async () => {
    await using host = await startTestHost(gateway);
    const found = find(dev(), "EnvoyFilter", "dev-rate-limit-at-ingress") as Manifest;
    const filter = structuredClone(httpFilterOf(found));
    const [limited] = filter.typed_config.descriptors;
    assert.ok(limited);
    limited.token_bucket = { max_tokens: 2, tokens_per_fill: 1, fill_interval: "3600s" };
    await using envoy = await startEnvoy(host.port, [filter]);
    const statusOf = async (name: string) => {
      const { status, headers } = await ask(envoy.port, "/healthz", { headers: { host: name } });
      return `${status} ${headers["retry-after"] ?? ""}`;
    };
    assert.equal(await statusOf("api.dev.example-api.com"), "200 ");
    assert.equal(await statusOf("GATEWAY.Dev.example.com:8080"), "200 ");
    assert.equal(await statusOf("ui.dev.example-api.com"), "429 1");
    assert.equal(await statusOf("api.test.example-api.com"), "200 ");
    assert.equal(await statusOf("gateway.dev.svc.cluster.local"), "200 ");
  });
});
