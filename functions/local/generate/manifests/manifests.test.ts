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
  return {
    content,
    find,
    service: (name: string) => find(`knative/base/${name}.yaml`, "Service"),
    callers: (name: string): unknown => {
      const policy = find("istio/base/callers.yaml", "AuthorizationPolicy", name);
      return at(policy, "spec.rules.0.from.0.source.serviceAccounts");
    },
    /** The activator's rule for the function's revisions. */
    edge(name: string) {
      const policies = objectsIn("istio/base/activator.yaml");
      const rules = policies.flatMap((policy) => at<object[]>(policy, "spec.rules") ?? []);
      return rules.find((rule) => at(rule, "when.1.values.0") === `${name}-*`);
    },
  };
}

describe("the manifests of a function", () => {
  test("give it the connections that it uses, as the Secret has them, and probes and limits", async () => {
    const { service } = await generated(...ordersAndInvoices);
    const names = (name: string) =>
      (at<{ name: string }[]>(service(name), `${container}.env`) ?? []).map((one) => one.name);
    assert.deepEqual(names("service-a"), []);
    assert.deepEqual(names("invoices"), ["MONGODB_URL"]);
    assert.deepEqual(names("orders"), ["MONGODB_URL", "RABBITMQ_URL"]);
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
