/**
 * `node functions/test/schemas/renew.ts`: writes kubernetes.json beside this file, the schemas that manifests are held
 * against, from the Go modules of the versions in cluster/versions.env: CustomResourceDefinitions, and Kubernetes' own
 * swagger.json. It needs Go. Strict as `kubectl apply --validate=strict`: a field that a schema does not have is a mistake.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { functionsDir } from "../../local/discover.ts";
import { readPins } from "../../local/pins.ts";

type Schema = Record<string, unknown>;
interface Definition {
  kind: string;
  spec: {
    group: string;
    names: { kind: string };
    versions: { name: string; served: boolean; schema: { openAPIV3Schema: Schema } }[];
  };
}

const pins = readPins(readFileSync(join(functionsDir, "../knative/cluster/versions.env"), "utf8"));
const versions = new Map(pins.map(({ name, version }) => [name, version]));
/** Knative 1.23 is 0.50 as a module. */
const [, minor = "", patch] = versions.get("KNATIVE")?.split(".") ?? [];
const serving = `knative.dev/serving@v0.${Number(minor) + 27}.${patch}`;

const modules: readonly [module: string, ...files: string[]][] = [
  [`k8s.io/kubernetes@v${versions.get("KUBERNETES")}`, "api/openapi-spec/swagger.json"],
  [
    serving,
    ...["service", "domain-mapping"].map((name) => `config/core/300-resources/${name}.yaml`),
  ],
  [networkingOf(serving), "config/domain-claim.yaml"],
  // The newest that the Go module proxy has; releases after it are to be had from GitHub alone.
  ["knative.dev/eventing-rabbitmq@v0.48.0", "config/source/300-rabbitmqsource.yaml"],
  [`istio.io/api@v${versions.get("ISTIO")}`, "kubernetes/customresourcedefinitions.gen.yaml"],
  // Of no version of ours: cert-manager is the cluster's, and this kind has been v1 since 1.0.
  ["github.com/cert-manager/cert-manager@v1.21.2", "deploy/crds/cert-manager.io_certificates.yaml"],
];

/** Of Kubernetes' own kinds, those that are in use. */
const nativeKinds = [
  ["", "v1", "ConfigMap"],
  ["", "v1", "Namespace"],
  ["", "v1", "Secret"],
  ["", "v1", "Service"],
  ["", "v1", "ServiceAccount"],
  ["apps", "v1", "Deployment"],
  ["apps", "v1", "StatefulSet"],
  ["batch", "v1", "Job"],
  ["networking.k8s.io", "v1", "NetworkPolicy"],
  ["policy", "v1", "PodDisruptionBudget"],
] as const;
const customKinds =
  /^(Service|DomainMapping|ClusterDomainClaim|RabbitmqSource|PeerAuthentication|RequestAuthentication|AuthorizationPolicy|DestinationRule|ServiceEntry|Sidecar|Telemetry|EnvoyFilter|Certificate)$/;
const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** What of a schema JSON Schema knows too. */
const kept =
  /^(\$ref|type|properties|items|required|enum|additionalProperties|oneOf|anyOf|allOf|not|pattern|min.*|max.*)$/;

const definitions: Record<string, Schema> = {};
const kinds: Record<string, Schema> = {};

for (const [module, ...files] of modules) {
  const folder = folderOf(module);
  for (const file of files) {
    const text = readFileSync(join(folder, file), "utf8");
    if (file.endsWith(".json")) takeNative(JSON.parse(text).definitions);
    else for (const document of parseAllDocuments(text)) takeCustom(document.toJS());
  }
}
const madeFrom = modules.map(([module]) => module);
writeFileSync(
  new URL("kubernetes.json", import.meta.url),
  `${JSON.stringify({ madeFrom, kinds, definitions })}\n`,
);

/** Where Go keeps a module, which it fetches if need be. */
function folderOf(module: string): string {
  const { stdout, stderr, error } = spawnSync("go", ["mod", "download", "-json", module], {
    cwd: tmpdir(),
    encoding: "utf8",
  });
  const { Dir, Error: reason } = stdout ? JSON.parse(stdout) : {};
  if (!Dir) throw new Error(`${module}: ${reason ?? stderr ?? error?.message}`);
  return Dir;
}

/** The networking module that a release of Serving is built with. */
function networkingOf(module: string): string {
  const text = readFileSync(join(folderOf(module), "go.mod"), "utf8");
  const version = /^\tknative\.dev\/networking (\S+)$/m.exec(text)?.[1];
  return `knative.dev/networking@${version}`;
}

function takeNative(all: Record<string, Schema>): void {
  const take = (name: string) => {
    if (name in definitions) return;
    definitions[name] = {};
    definitions[name] = strict(all[name] ?? {});
    for (const [, other] of JSON.stringify(definitions[name]).matchAll(
      /#\/definitions\/([^"]+)/g,
    )) {
      take(other ?? "");
    }
  };
  take(objectMeta);
  for (const [group, version, kind] of nativeKinds) {
    const [folder] = group.split(".");
    const name = `io.k8s.api.${folder || "core"}.${version}.${kind}`;
    take(name);
    kinds[`${group ? `${group}/` : ""}${version}/${kind}`] = { $ref: `#/definitions/${name}` };
  }
}

function takeCustom(definition: Definition | null): void {
  if (definition?.kind !== "CustomResourceDefinition") return;
  const { group, names, versions } = definition.spec;
  if (!customKinds.test(names.kind) || group === "networking.x-k8s.io") return;
  for (const { name, served, schema } of versions) {
    if (!served) continue;
    const { status: _, ...properties } = schema.openAPIV3Schema.properties as Schema;
    const text = { type: "string" };
    kinds[`${group}/${name}/${names.kind}`] = strict({
      ...schema.openAPIV3Schema,
      properties: {
        ...properties,
        apiVersion: text,
        kind: text,
        metadata: { $ref: `#/definitions/${objectMeta}` },
      },
      required: ["apiVersion", "kind", "metadata"],
    });
  }
}

/** The same schema in JSON Schema's own words, without prose, and closed. */
function strict(schema: Schema): Schema {
  const isEither = schema["x-kubernetes-int-or-string"] || schema.format === "int-or-string";

  if (isEither) {
    return { type: ["integer", "string"] };
  }
  const closed = Object.fromEntries(
    Object.entries(schema)
      .filter(([name]) => kept.test(name))
      .map(([name, value]) => [name, strictPart(name, value)]),
  );
  if (schema.nullable && typeof closed.type === "string") closed.type = [closed.type, "null"];
  const isOpen = schema["x-kubernetes-preserve-unknown-fields"] || schema.additionalProperties;
  if (schema.type === "object" && schema.properties && !isOpen) closed.additionalProperties = false;
  return closed;
}

function strictPart(name: string, value: unknown): unknown {
  if (name === "properties") {
    const entries = Object.entries(value as Record<string, Schema>);
    return Object.fromEntries(entries.map(([key, inner]) => [key, strict(inner)]));
  }
  if (/^(oneOf|anyOf|allOf)$/.test(name)) return (value as Schema[]).map(strict);
  const isSchema = value !== null && typeof value === "object" && !Array.isArray(value);
  return isSchema ? strict(value as Schema) : value;
}
