import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type Deployable, loadFunctions } from "../local/discover.ts";
import { environmentOf } from "./support/environment.ts";
import { usePlatformManifests } from "./support/generated.ts";
import { at, set, titleOf } from "./support/manifests.ts";
import { strangers } from "./support/strangers.ts";

const platform = await usePlatformManifests();
let functions: Deployable[];

before(async () => {
  functions = await loadFunctions();
});

for (const overlay of ["dev", "test", "prod"]) {
  test(`${overlay} refuses every stranger, and lets the graph and Knative's probes through`, () => {
    assert.deepEqual(strangers(environmentOf(overlay, functions)), []);
  });
}

const probe = "spec.rules.0.when.2";
const emptyHeader = (index: number) =>
  `spec.configPatches.0.patch.value.typed_config.rules.policies.empty-headers.principals.${index}.header.name`;

describe("a way in is found where", () => {
  for (const [what, policy, path, value, found] of [
    [
      "an empty header of the probe is let through",
      "empty-headers",
      emptyHeader(4),
      "other",
      /reaches dev\/gateway-00001 .* with \[.*K-Network-Probe: ; K-Network-Probe: probe\]$/,
    ],
    [
      "empty headers are refused on their way out alone",
      "empty-headers",
      "spec.configPatches.0.match.context",
      "SIDECAR_OUTBOUND",
      /reaches dev\/gateway-00001 .* with \[K-Network-Probe: ; K-Network-Probe: probe\]$/,
    ],
    [
      "an empty namespace is let through",
      "empty-headers",
      emptyHeader(0),
      "other",
      /reaches dev\/gateway-00001 .* with \[Knative-Serving-Namespace: /,
    ],
    [
      "a request without a revision is let through",
      "without-revision",
      "spec.rules",
      [],
      /reaches dev\/gateway-00001 through the activator as gateway-00001\.dev\.svc/,
    ],
    [
      "an empty revision is let through",
      "empty-headers",
      emptyHeader(2),
      "other",
      /reaches dev\/gateway-00001 .* with \[.*Knative-Serving-Revision: \]$/,
    ],
    [
      "a namespace that is sent twice is let through",
      "edges-of-dev",
      "spec.rules.0.when.0.values",
      ["dev"],
      /stranger reaches .* with \[Knative-Serving-Namespace: dev; Knative-Serving-Namespace: x; /,
    ],
    [
      "a request of the ingress is taken for a route's probe",
      "knative",
      "spec.rules.2.when",
      undefined,
      /ingressgateway-service-account reaches service-a past the activator with/,
    ],
    [
      "a function further above may call, in place of waking",
      "edges-of-dev",
      "spec.rules.3",
      undefined,
      /sa\/service-a reaches dev\/service-d-00001 through the activator/,
    ],
    [
      "a wake at the activator may be a POST",
      "edges-of-dev",
      "spec.rules.3.to.0.operation.notMethods.1",
      "POST",
      /sa\/service-a reaches dev\/service-d-00001 by POST \/wake through the activator/,
    ],
    [
      "the path of a wake at the activator may go on",
      "edges-of-dev",
      "spec.rules.3.to.1.operation.notPaths",
      ["/wake*"],
      /sa\/service-a reaches dev\/service-d-00001 by GET \/wake\/ through the activator/,
    ],
    [
      "a stranger may wake through the activator",
      "edges-of-dev",
      "spec.rules.4",
      undefined,
      /plain text reaches dev\/service-d-00001 by GET \/wake through the activator/,
    ],
    [
      "a function further above may call past the activator",
      "service-d",
      "spec.rules.1.to",
      undefined,
      /sa\/service-a reaches service-d past the activator/,
    ],
    [
      "a stranger may wake past the activator",
      "service-d",
      "spec.rules.1.from.0.source.serviceAccounts.1",
      "service-c",
      /sa\/service-c reaches service-d by GET \/wake past the activator/,
    ],
    [
      "a wake is refused",
      "service-d",
      "spec.rules.1",
      undefined,
      /^service-d refuses GET \/wake by .*sa\/service-a to service-d$/,
    ],
    [
      "no stranger is refused at the activator",
      "edges-of-dev",
      "spec.rules",
      [],
      /plain text reaches dev\/service-a-00001 through the activator/,
    ],
    [
      "the autoscaler's probe is refused",
      "without-revision",
      "spec.rules.0.when.1.notValues",
      ["probe"],
      /^the activator refuses the autoscaler's probe by .*controller/,
    ],
    [
      "a route's probe is refused",
      "edges-of-dev",
      `${probe}.notValues`,
      ["activator"],
      /^the activator refuses a route's probe by .*ingressgateway.* to service-a$/,
    ],
  ] as const) {
    test(what, () => {
      const environment = environmentOf("dev", platform.functions, platform.root);
      const object = [...environment.manifests, ...environment.mesh].find(
        (one) => /^(AuthorizationPolicy|EnvoyFilter) (.+)$/.exec(titleOf(one))?.[2] === policy,
      );
      assert.ok(object);
      const index = /^spec\.rules\.(\d)$/.exec(path)?.[1];
      if (index) (object as unknown as { spec: { rules: object[] } }).spec.rules.splice(+index, 1);
      else set(object, path, value);
      assert.match(strangers(environment)[0] ?? "", found);
    });
  }
});

test("a way in is found where a probe is exempt by the presence of its header", () => {
  const built = environmentOf("dev", functions);
  const mesh = built.mesh.filter(({ kind }) => kind !== "EnvoyFilter");
  const environment = { ...built, mesh };
  const policies = [...environment.manifests, ...environment.mesh].filter(
    ({ metadata }) => metadata.namespace === "knative-serving" && /-/.test(metadata.name),
  );
  for (const policy of policies) {
    const rules =
      at<{ when: { key: string; notValues?: string[] }[] }[]>(policy, "spec.rules") ?? [];
    for (const { when } of rules) {
      for (const one of when) if (one.notValues?.includes("probe")) one.notValues = ["*"];
    }
  }
  assert.match(
    strangers(environment)[0] ?? "",
    /reaches dev\/gateway-00001 .* with \[.*K-Network-Probe: /,
  );
});
