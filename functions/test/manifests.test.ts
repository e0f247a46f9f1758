import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Deployable, loadFunctions } from "../local/discover.ts";
import { container, environmentOf, find } from "./support/environment.ts";
import { copyManifests, type GeneratedCopy, usePlatformManifests } from "./support/generated.ts";
import { mistakes } from "./support/manifest-mistakes.ts";
import { problemsOf } from "./support/manifest-rules.ts";
import { at, build, type Manifest, overlaysOf, set } from "./support/manifests.ts";
import { inOrder, ordersAndInvoices, platformFunctions } from "./support/orders.ts";
import { prodMistakes } from "./support/prod-mistakes.ts";
import { schemaProblems } from "./support/schemas.ts";
import { wakeMistakes } from "./support/wake-mistakes.ts";

const platform = await usePlatformManifests();
let functions: Deployable[];

before(async () => {
  functions = await loadFunctions();
});

describe("every overlay says what the declarations say:", () => {
  for (const overlay of overlaysOf("knative")) {
    test(overlay, () => assert.deepEqual(problemsOf(environmentOf(overlay, functions)), []));
  }
});

describe("a mistake is found:", () => {
  for (const [what, object, path, value, found, overlay = "dev"] of [
    ...mistakes,
    ...prodMistakes,
    ...wakeMistakes,
  ]) {
    test(what, () => {
      const environment = environmentOf(overlay, platform.functions, platform.root);
      const manifest = environment.manifests.find((candidate) => object.test(titleOf(candidate)));
      assert.ok(manifest, `no object is named ${object}`);
      set(manifest, path, value);
      const problems = problemsOf(environment);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", found);
    });
  }

  test("metrics for every pod of the cluster, at every function", () => {
    const environment = environmentOf("prod", functions);
    const policy = find(environment, "NetworkPolicy", "metrics");
    assert.ok(policy);
    set(policy, "spec.ingress.0.from", undefined);
    const problems = problemsOf(environment);
    assert.ok(problems.length > 0);
    for (const problem of problems) assert.match(problem, /lets in .*9091 all, 15020 all/);
  });

  test("a function without a manifest", () => {
    const environment = environmentOf("dev", functions);
    const manifests = environment.manifests.filter((one) => !/^serving.*-h$/.test(titleOf(one)));
    const problems = problemsOf({ ...environment, manifests });
    assert.ok(
      problems.some((problem) => problem.startsWith("service-h has no Knative Service")),
      problems.join("\n"),
    );
  });

  test("an address of a function that is not public", () => {
    const environment = environmentOf("dev", functions);
    const mapping = structuredClone(find(environment, "DomainMapping", "api.dev.example-api.com"));
    assert.ok(mapping);
    mapping.metadata.name = "service-a.dev.example-api.com";
    const manifests = [...environment.manifests, mapping];
    assert.deepEqual(problemsOf({ ...environment, manifests }), [
      "DomainMapping service-a.dev.example-api.com: no public function has it",
    ]);
  });
});

describe("with connections.env", () => {
  let copy: GeneratedCopy;

  before(async () => {
    copy = await copyManifests();
  });
  after(() => copy?.[Symbol.asyncDispose]());

  /** prod as cluster/deploy builds it, in a folder of its own. */
  function prodWith(name: string, password: string): Manifest[] {
    const components = join(copy.root, "knative/components");
    const example = join(components, "external-services/connections.example.env");
    const text = readFileSync(example, "utf8").replaceAll("PASSWORD", password);
    writeFileSync(join(components, "connections/connections.env"), text);
    const folder = `knative/cluster/${name}`;
    mkdirSync(join(copy.root, folder));
    const kustomization = {
      resources: ["../../overlays/prod"],
      components: ["../../components/connections"],
      namespace: "prod",
    };
    const path = join(copy.root, folder, "kustomization.yaml");
    writeFileSync(path, JSON.stringify(kustomization));
    return build(folder, copy.root);
  }

  const secretOf = (manifests: readonly Manifest[]) =>
    manifests.find(({ kind }) => kind === "Secret")?.metadata.name ?? "none";

  test("the Secret's name comes from its content, and every user of it follows", () => {
    const manifests = prodWith("first", "one");
    const name = secretOf(manifests);
    assert.match(name, /^connections-/);
    const text = JSON.stringify(manifests);
    const named = [...text.matchAll(/"(?:secretKeyRef|connectionSecret)":{[^}]*"name":"([^"]+)"/g)];
    assert.ok(named.length >= 6);
    for (const [, one] of named) assert.equal(one, name);
    assert.notEqual(secretOf(prodWith("second", "another")), name);
    assert.deepEqual(manifests.flatMap(schemaProblems), []);
  });
});

describe("with a second queue", () => {
  let copy: GeneratedCopy;
  let all: Deployable[];
  const built = (overlay: string) => environmentOf(overlay, all, copy.root);

  before(async () => {
    copy = await copyManifests();
    all = inOrder([...(await platformFunctions()), ...ordersAndInvoices]);
    await copy.generate(all);
  });
  after(() => copy?.[Symbol.asyncDispose]());

  for (const overlay of ["dev", "dev-bridge", "dev-external", "prod"]) {
    test(`${overlay} says what the declarations say`, () => {
      assert.deepEqual(problemsOf(built(overlay)), []);
    });
  }

  test("one Job declares both", () => {
    const job = find(built("dev"), "Job", "declare-queue");
    assert.equal(at(job, `${container}.image`), "orders");
    const args = ["/app/main.js", "--declare-queues", "service-d"];
    assert.deepEqual(at(job, `${container}.args`), args);
  });

  const accounts = "spec.rules.0.from.0.source.serviceAccounts";

  for (const [what, sources] of Object.entries({
    "the other queue's source is let into the consumer": ["orders-source", "service-d-source"],
    "the other queue's source is let in by mistake for the right one": ["service-d-source"],
    "the right source is shut out": [],
  })) {
    test(`it is a problem when ${what}`, () => {
      const environment = built("dev");
      const policy = find(environment, "AuthorizationPolicy", "invoices");
      assert.ok(policy);
      set(policy, accounts, ["gateway", "bridge", ...sources]);
      assert.match(
        problemsOf(environment).join("\n"),
        /^AuthorizationPolicy invoices: allows .*, and the graph \[bridge,gateway,orders-source\]$/,
      );
    });

    test(`it is a problem when ${what} at the activator`, () => {
      const environment = built("dev");
      const policy = find(environment, "AuthorizationPolicy", "edges-of-dev");
      const rule = at<object[]>(policy, "spec.rules")?.find(
        (one) => at<string[]>(one, "when.1.values")?.[0] === "invoices-*",
      );
      assert.ok(rule);
      const principals = ["gateway", "bridge", ...sources].map(
        (account) => `cluster.local/ns/dev/sa/${account}`,
      );
      set(rule, "from.0.source.notPrincipals", principals);
      assert.match(
        problemsOf(environment).join("\n"),
        /^the activator lets .* through to invoices, and the graph/,
      );
    });
  }

  test("it is a problem when a source is missing, or runs beside the bridge", () => {
    const environment = built("dev");
    const manifests = environment.manifests.filter(
      ({ kind, metadata }) => kind !== "RabbitmqSource" || metadata.name !== "orders",
    );
    assert.deepEqual(problemsOf({ ...environment, manifests }), [
      "RabbitmqSource orders: missing, so the queue is never consumed",
    ]);
    const source = find(environment, "RabbitmqSource", "orders");
    const bridge = built("dev-bridge");
    assert.deepEqual(
      problemsOf({ ...bridge, manifests: [...bridge.manifests, ...(source ? [source] : [])] }),
      [
        "RabbitmqSource orders: runs beside the bridge",
        "RabbitmqSource orders: there is no ServiceAccount orders-source",
      ],
    );
  });
});

/** With the group, since Knative and Kubernetes both have a kind Service. */
function titleOf({ apiVersion, kind, metadata }: Manifest): string {
  return `${apiVersion} ${kind} ${metadata.name}`;
}
