/** What is said of a function and of a queue, given their declarations. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { http, publishTo } from "#host";
import { copyManifests } from "../../../test/support/generated.ts";
import { at, type Manifest } from "../../../test/support/manifests.ts";
import {
  deployable,
  inOrder,
  ordersAndInvoices,
  platformFunctions,
  withDeploy,
} from "../../../test/support/orders.ts";
import type { Deployable } from "../../discover.ts";

const functions = await platformFunctions();
const container = "spec.template.spec.containers.0";
const spec = "spec.template.spec";

/** Generates for today's functions and these, and shows the objects of all files. */
async function generated(...more: readonly Deployable[]) {
  await using copy = await copyManifests();
  await copy.generate(inOrder([...functions, ...more]));
  const content = await copy.content();
  const objectsIn = (path: string): Manifest[] =>
    parseAllDocuments(content.get(path) ?? assert.fail(path)).map((one) => one.toJS());
  const find = (path: string, kind: string, name?: string) =>
    objectsIn(path).find((one) => one.kind === kind && (!name || one.metadata.name === name)) ??
    assert.fail(`${path}: there is no ${kind} ${name}`);
  /** The activator's rules for the function's revisions. */
  const edges = (name: string) => {
    const policies = objectsIn("istio/base/activator.yaml");
    const rules = policies.flatMap((policy) => at<object[]>(policy, "spec.rules") ?? []);
    return rules.filter((rule) => at(rule, "when.1.values.0") === `${name}-*`);
  };
  return {
    content,
    find,
    service: (name: string) => find(`knative/base/${name}.yaml`, "Service"),
    callers: (name: string): unknown => {
      const policy = find("istio/base/callers.yaml", "AuthorizationPolicy", name);
      return at(policy, "spec.rules.0.from.0.source.serviceAccounts");
    },
    edges,
    edge: (name: string) => edges(name)[0],
  };
}

describe("the manifests of a function", () => {
  test("give it the connections that it uses, as the Secret has them, and probes and limits", async () => {
    const { service } = await generated(...ordersAndInvoices);
    const names = (name: string) =>
      (at<{ name: string }[]>(service(name), `${container}.env`) ?? []).map((one) => one.name);
    assert.deepEqual(names("service-e"), []);
    assert.deepEqual(names("invoices"), ["MONGODB_URL"]);
    assert.deepEqual(names("orders"), ["MONGODB_URL", "RABBITMQ_URL", "WAKE"]);
    const orders = at<object>(service("orders"), container);
    assert.deepEqual(at(orders, "env.1.valueFrom"), {
      secretKeyRef: { name: "connections", key: "RABBITMQ_URL" },
    });
    assert.deepEqual(at(orders, "ports"), [{ containerPort: 8080 }]);
    assert.equal(at(orders, "readinessProbe.httpGet.path"), "/readyz/self");
    assert.equal(at(orders, "livenessProbe.httpGet.path"), "/healthz");
    assert.equal(at(orders, "resources.limits.memory"), "256Mi");
  });

  test("say what its `deploy` says, and the defaults where it says nothing", async () => {
    const { service } = await generated(
      withDeploy("large", {
        scale: { min: 7, target: 30 },
        concurrency: 40,
        timeoutSeconds: 120,
        resources: { limits: { memory: "1Gi" } },
      }),
    );
    const scale = (name: string) => {
      const all = at<Record<string, string>>(service(name), "spec.template.metadata.annotations");
      const own = Object.entries(all ?? {}).filter(([key]) => key.startsWith("autoscaling."));
      return Object.fromEntries(own.map(([key, value]) => [key.split("/")[1], value]));
    };
    assert.deepEqual(scale("service-e"), { metric: "concurrency", target: "15", "max-scale": "5" });
    assert.deepEqual(scale("service-c"), { metric: "concurrency", target: "10", "max-scale": "5" });
    assert.deepEqual(scale("ui"), { "min-scale": "1", "max-scale": "2" });
    assert.deepEqual(scale("large"), {
      metric: "concurrency",
      target: "30",
      "min-scale": "7",
      // A limit below the least would be refused.
      "max-scale": "7",
    });
    assert.equal(at(service("large"), `${spec}.containerConcurrency`), 40);
    assert.equal(at(service("large"), `${spec}.timeoutSeconds`), 120);
    const resources = at(service("large"), `${container}.resources`);
    assert.deepEqual(resources, {
      requests: { cpu: "25m", memory: "128Mi" },
      limits: { cpu: "1", memory: "1Gi" },
    });
  });

  test("make a public one public: an address for each environment, and the way in for those outside", async () => {
    const { service, find, callers, edge, content } = await generated(
      withDeploy("shop", { public: true, subdomain: "www" }),
    );
    assert.equal(service("shop").metadata.labels?.["networking.knative.dev/visibility"], undefined);
    for (const environment of ["dev", "test", "prod"]) {
      const path = `knative/overlays/${environment}/domains.yaml`;
      const host = `www.${environment}.example-api.com`;
      assert.equal(at(find(path, "DomainMapping", host), "spec.ref.name"), "shop");
      assert.equal(at(find(path, "ClusterDomainClaim", host), "spec.namespace"), environment);
    }
    assert.ok(!content.has("knative/overlays/dev-bridge/domains.yaml"));
    const ingress = "istio-ingressgateway-service-account";
    assert.deepEqual(callers("shop"), ["gateway", `istio-system/${ingress}`]);
    assert.deepEqual(at(edge("shop"), "from.0.source.notPrincipals"), [
      "cluster.local/ns/NAMESPACE/sa/gateway",
    ]);
    assert.deepEqual(at(edge("shop"), "when.3"), {
      key: "source.principal",
      notValues: [`cluster.local/ns/istio-system/sa/${ingress}`],
    });
  });

  test("let in the gateway, the declared callers and the queue's own source", async () => {
    const { callers } = await generated(
      ...ordersAndInvoices,
      deployable("audit", { calls: [http("invoices")] }),
    );
    assert.deepEqual(callers("orders"), ["gateway"]);
    assert.deepEqual(callers("invoices"), ["gateway", "audit", "orders-source", "bridge"]);
    assert.deepEqual(callers("service-g"), ["gateway", "orders", "service-e"]);
    assert.deepEqual(callers("rabbitmq"), [
      ...["orders", "service-d", "orders-source", "service-d-source", "bridge"],
    ]);
  });

  test("deploy a handler of functions-framework's own too, for the gateway alone and without connections", async () => {
    const { service, callers } = await generated({ name: "plain" });
    assert.equal(at(service("plain"), `${container}.image`), "plain");
    assert.equal(at(service("plain"), `${container}.env`), undefined);
    assert.deepEqual(callers("plain"), ["gateway"]);
  });

  test("tell it from one whose name begins with its name at the activator", async () => {
    const { edge } = await generated(deployable("shop", {}), deployable("shop-archive", {}));
    assert.deepEqual(at(edge("shop"), "when.1.notValues"), ["shop-archive-*"]);
    assert.equal(at(edge("shop-archive"), "when.1.notValues"), undefined);
  });
});

describe("a function's first request wakes", () => {
  const wakes = async (name: string, ...more: Deployable[]) => {
    const { service } = await generated(...more);
    const env = at<{ name: string; value: string }[]>(service(name), `${container}.env`) ?? [];
    const value = env.find((one) => one.name === "WAKE")?.value;
    return value === undefined ? undefined : JSON.parse(value);
  };

  test("what its callees lead to, by calls and by queues", async () => {
    const below = { "service-d": ["service-f"], "service-e": ["service-g", "service-h"] };
    const b = ["service-d", "service-e"];
    assert.deepEqual(await wakes("service-a"), { "service-b": b, ...below });
    const all = { "service-a": ["service-b", "service-c"], "service-b": b, ...below };
    assert.deepEqual(await wakes("gateway"), all);
    assert.deepEqual(await wakes("service-d"), { "rabbitmq:service-d": ["service-f"] });
  });

  test("nothing, where its callees lead to nothing", async () => {
    assert.equal(await wakes("service-e"), undefined);
    assert.equal(await wakes("ui"), undefined);
  });

  test("neither itself in a circle, nor a function that always has an instance, but what is below that", async () => {
    const top = deployable("top", { calls: [http("middle")] });
    const middle = deployable("middle", { calls: [http("standing"), http("top")] });
    const standing = deployable("standing", {
      calls: [http("service-e")],
      deploy: { scale: { min: 1 } },
    });
    assert.deepEqual(await wakes("top", top, middle, standing), {
      middle: ["service-e"],
      "service-e": ["service-g", "service-h"],
    });
  });

  test("by an account that may GET /wake, and nothing else", async () => {
    const { find, edges } = await generated(...ordersAndInvoices);
    const rules = (name: string) =>
      at<object[]>(find("istio/base/callers.yaml", "AuthorizationPolicy", name), "spec.rules");
    const wake = { to: [{ operation: { methods: ["GET"], paths: ["/wake"] } }] };
    const by = (...serviceAccounts: string[]) => ({
      from: [{ source: { serviceAccounts } }],
      ...wake,
    });
    assert.deepEqual(rules("invoices")?.slice(1), [by("orders")]);
    assert.deepEqual(rules("service-h")?.slice(1), [by("service-a", "service-b")]);
    assert.deepEqual(rules("service-b")?.slice(1), []);
    const [calls, wakes] = edges("invoices");
    assert.deepEqual(at(calls, "to"), [
      { operation: { notMethods: ["GET"] } },
      { operation: { notPaths: ["/wake"] } },
    ]);
    const callers = at<string[]>(calls, "from.0.source.notPrincipals") ?? [];
    assert.deepEqual(at(wakes, "from.0.source.notPrincipals"), [
      ...callers,
      "cluster.local/ns/NAMESPACE/sa/orders",
    ]);
    assert.equal(at(wakes, "to"), undefined);
    assert.equal(edges("service-b").length, 1);
  });
});

describe("the manifests of queues", () => {
  test("name objects so that a pod can have the name, and the queue as it is", async () => {
    const { find } = await generated(
      deployable("one", { effects: { published: publishTo("new.orders") } }),
      deployable("two", { from: "new.orders", on: { "*": async () => {} } }),
    );
    const source = find("knative/base/source.yaml", "RabbitmqSource", "new-orders");
    assert.equal(at(source, "spec.rabbitmqResourcesConfig.queueName"), "new.orders");
    assert.equal(at(source, "spec.serviceAccountName"), "new-orders-source");
    assert.equal(at(source, "spec.sink.ref.name"), "two");
  });

  test("leave the queue's declaration, and its dead letters, to the functions' own code", async () => {
    const { find } = await generated();
    const job = find("knative/base/queue.yaml", "Job", "declare-queue");
    assert.equal(at(job, `${spec}.serviceAccountName`), "service-d");
    assert.deepEqual(at(job, `${container}.args`), ["/app/main.js", "--declare-queues"]);
    const source = find("knative/base/source.yaml", "RabbitmqSource", "service-d");
    assert.equal(at(source, "spec.rabbitmqResourcesConfig.predeclared"), true);
    assert.deepEqual(at(source, "spec.delivery"), {
      retry: 10,
      backoffPolicy: "exponential",
      backoffDelay: "PT0.2S",
    });
  });

  test("declare a queue that is published from outside, too", async () => {
    const { find } = await generated(
      deployable("two", { from: "outside", on: { "*": async () => {} } }),
    );
    const job = find("knative/base/queue.yaml", "Job", "declare-queue");
    assert.equal(at(job, `${container}.image`), "service-d");
    const args = ["/app/main.js", "--declare-queues", "outside"];
    assert.deepEqual(at(job, `${container}.args`), args);
  });
});
