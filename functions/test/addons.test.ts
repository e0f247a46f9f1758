/** The tools that watch the cluster, wired with each other, and what is wired to them. Laid over stand-ins of Istio's addons. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { functionsDir, localDir } from "../local/discover.ts";
import { readDashboards } from "./support/dashboards.ts";
import { at, build, type Manifest, overlaysOf, titleOf } from "./support/manifests.ts";
import { withoutKustomize } from "./support/tools.ts";

const root = join(functionsDir, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const install = read("knative/cluster/install");
const [, addons = ""] = /^ADDONS=\$\{ADDONS:-(.+)\}$/m.exec(install) ?? [];
const mesh = parse(read("knative/cluster/istio.yaml"));

interface Volume {
  name: string;
  configMap?: { name: string };
}
interface Mount {
  name: string;
  mountPath: string;
  subPath?: string;
}

describe("the addons, as cluster/install lays them out", { skip: withoutKustomize() }, () => {
  let folder: string;
  let objects: Manifest[];

  before(async () => {
    await mkdir(localDir, { recursive: true });
    folder = await mkdtemp(join(localDir, "addons-"));
    const path = (part: string) => relative(folder, join(root, part));
    const components = addons
      .split(" ")
      .map((addon) => `istio/components/observability/${addon}`)
      .filter((component) => existsSync(join(root, component)));
    const kustomization = {
      resources: addons.split(" ").map((addon) => `${addon}.yaml`),
      components: components.map(path),
    };
    for (const addon of addons.split(" ")) {
      await writeFile(join(folder, `${addon}.yaml`), read(`functions/test/addons/${addon}.yaml`));
    }
    await writeFile(join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
    objects = build(relative(root, folder));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const find = (kind: string, name: string) => {
    const found = objects.find((one) => titleOf(one) === `${kind} ${name}`);
    assert.ok(found, `there is no ${kind} ${name}`);
    return found;
  };
  /** The text of the file that a Deployment's container finds at a path: a ConfigMap's, through its mount. */
  const fileIn = (name: string, file: string): string => {
    const spec = at<object>(find("Deployment", name), "spec.template.spec");
    const mounts = (at<{ volumeMounts?: Mount[] }[]>(spec, "containers") ?? []).flatMap(
      (container) => container.volumeMounts ?? [],
    );
    const mount = mounts.find(
      ({ mountPath, subPath }) =>
        file === mountPath || (!subPath && file.startsWith(`${mountPath}/`)),
    );
    const volume = at<Volume[]>(spec, "volumes")?.find((one) => one.name === mount?.name);
    const data = find("ConfigMap", volume?.configMap?.name ?? "?").data as Record<string, string>;
    const text = data[mount?.subPath ?? file.slice((mount?.mountPath.length ?? 0) + 1)];
    assert.ok(text, `${name} finds nothing at ${file}`);
    return text;
  };
  /** A Service of this cluster listens where an address of it leads. */
  const isServed = (address: string) => {
    const { hostname, port } = new URL(address);
    const service = find("Service", hostname.split(".")[0] ?? "");
    const ports = at<{ port: number }[]>(service, "spec.ports")?.map((one) => one.port);
    assert.ok(ports?.includes(Number(port || 80)), `nothing listens at ${address}`);
  };

  test("Prometheus finds its rules, and keeps exemplars", () => {
    const { rule_files } = parse(fileIn("prometheus", "/etc/config/prometheus.yml"));
    assert.deepEqual(rule_files, ["recording_rules.yml", "alerting_rules.yml"]);
    for (const file of rule_files) {
      assert.equal(
        fileIn("prometheus", `/etc/config/${file}`),
        read(`istio/components/observability/prometheus/${file}`),
      );
    }
    const containers =
      at<{ name: string; args: string[] }[]>(
        find("Deployment", "prometheus"),
        "spec.template.spec.containers",
      ) ?? [];
    const argsOf = (name: string) => containers.find((one) => one.name === name)?.args;
    assert.deepEqual(argsOf("prometheus-server-configmap-reload"), ["--watched-dir=/etc/config"]);
    assert.ok(argsOf("prometheus-server")?.includes("--enable-feature=exemplar-storage"));
    assert.ok(argsOf("prometheus-server")?.includes("--config.file=/etc/config/prometheus.yml"));
  });

  test("Grafana shows every dashboard, beside Istio's, and an exemplar leads to Jaeger", () => {
    const provisioning = "/etc/grafana/provisioning";
    const providers = parse(
      fileIn("grafana", `${provisioning}/dashboards/dashboardproviders.yaml`),
    );
    const paths = providers.providers.map((one: { options: { path: string } }) => one.options.path);
    assert.ok(paths.includes("/var/lib/grafana/dashboards/istio"));
    for (const [file, dashboard] of Object.entries(readDashboards())) {
      assert.deepEqual(JSON.parse(fileIn("grafana", `${paths[0]}/${file}`)), dashboard);
    }
    const sources = parse(fileIn("grafana", `${provisioning}/datasources/datasources.yaml`));
    const [prometheus, jaeger] = sources.datasources;
    isServed(prometheus.url);
    isServed(jaeger.url);
    assert.deepEqual(prometheus.jsonData.exemplarTraceIdDestinations, [
      { name: "trace_id", datasourceUid: jaeger.uid },
    ]);
    assert.equal(fileIn("grafana", "/etc/grafana/grafana.ini"), "[server]");
  });

  test("Kiali reaches the others, and its links lead where cluster/forward brings them", () => {
    const { external_services: services } = parse(
      fileIn("kiali", "/kiali-configuration/config.yaml"),
    );
    isServed(services.prometheus.url);
    const forward = read("knative/cluster/forward");
    for (const service of [services.grafana, services.tracing]) {
      assert.equal(service.enabled, true);
      isServed(service.internal_url);
      const { port } = new URL(service.external_url);
      assert.match(forward, new RegExp(`^start \\w+ \\w+ ${port}:\\d+`, "m"));
    }
    const known = Object.values(readDashboards());
    for (const { name, variables } of services.grafana.dashboards) {
      const dashboard = known.find(({ title }) => title === name);
      assert.ok(dashboard, name);
      const names = dashboard.templating.list.map((variable) => `var-${variable.name}`);
      for (const variable of Object.values(variables)) assert.ok(names.includes(String(variable)));
    }
  });

  test("everybody sends spans to Jaeger's receiver, past the sidecars", () => {
    const [, collector = ""] = /"tracing-endpoint":"([^"]+)"/.exec(install) ?? [];
    // Knative takes an address without a scheme for https, and then no span arrives.
    assert.match(collector, /^http:\/\/.+\/v1\/traces$/);
    isServed(collector);
    const functions = build("knative/overlays/dev").find(
      ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith("settings"),
    );
    const endpoint = at<string>(functions, "data.OTEL_EXPORTER_OTLP_ENDPOINT") ?? "";
    assert.equal(`${endpoint}/v1/traces`, collector);
    assert.equal(mesh.spec.values.global.proxy.excludeOutboundPorts, new URL(collector).port);
    const [provider] = mesh.spec.meshConfig.extensionProviders;
    isServed(`http://${provider.opentelemetry.service}:${provider.opentelemetry.port}`);
  });
});

describe("what the proxies tell", { skip: withoutKustomize() }, () => {
  const specOf = (folder: string) =>
    build(folder).find(({ kind }) => kind === "Telemetry")?.spec as Record<string, unknown>;

  test("every request is traced by the mesh's provider, and logged", () => {
    const [provider] = mesh.spec.meshConfig.extensionProviders;
    assert.deepEqual(specOf("istio/mesh"), {
      tracing: [{ providers: [{ name: provider.name }], randomSamplingPercentage: 100 }],
      accessLogging: [{ providers: [{ name: "envoy" }] }],
    });
  });

  test("Istio's metrics are in the same resource, where the proxies can make them", () => {
    const { metrics, ...rest } = specOf("istio/mesh-metrics");
    assert.deepEqual(rest, specOf("istio/mesh"));
    assert.deepEqual(metrics, [{ providers: [{ name: "prometheus" }], reportingInterval: "5s" }]);
  });
});

describe("every pod says where its metrics are:", { skip: withoutKustomize() }, () => {
  const sources: Record<string, string> = {
    function: "8080 /metrics",
    source: "8080 /metrics",
    "backing-services": "15692 /metrics/per-object",
  };
  for (const overlay of overlaysOf("knative")) {
    test(overlay, () => {
      const pods = build(`knative/overlays/${overlay}`).filter(
        (one) => at(one, "spec.template.spec.containers") && one.kind !== "Job",
      );
      for (const pod of pods) {
        const { annotations = {}, labels = {} } =
          at<Manifest["metadata"]>(pod, "spec.template.metadata") ?? {};
        // MongoDB has none of its own.
        if (labels.app === "mongodb") continue;
        const said = `${annotations["prometheus.io/port"]} ${annotations["prometheus.io/path"]}`;
        assert.equal(annotations["prometheus.io/scrape"], "true", titleOf(pod));
        assert.equal(said, sources[labels["app.kubernetes.io/component"] ?? ""], titleOf(pod));
        if (pod.apiVersion.startsWith("serving.")) {
          const past = annotations["traffic.sidecar.istio.io/excludeInboundPorts"];
          assert.equal(past, "9091", titleOf(pod));
        }
      }
    });
  }
});
