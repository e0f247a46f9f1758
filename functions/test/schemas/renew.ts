/**
 * `node functions/test/schemas/renew.ts FILE...`: writes kubernetes.json beside this file, the schemas that manifests
 * are held against. The files are CustomResourceDefinitions (YAML) and Kubernetes' own api/openapi-spec/swagger.json,
 * from the releases that cluster/versions.env names. Strict as `kubectl apply --validate=strict`: a field that
 * a schema does not have is a mistake.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

type Schema = Record<string, unknown>;
interface Definition {
  kind: string;
  spec: {
    group: string;
    names: { kind: string };
    versions: { name: string; served: boolean; schema: { openAPIV3Schema: Schema } }[];
  };
}

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
  /^(Service|DomainMapping|ClusterDomainClaim|RabbitmqSource|PeerAuthentication|AuthorizationPolicy|DestinationRule|ServiceEntry|Sidecar|Telemetry)$/;
const objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** What of a schema JSON Schema knows too. */
const kept =
  /^(\$ref|type|properties|items|required|enum|additionalProperties|oneOf|anyOf|allOf|not|pattern|min.*|max.*)$/;

const definitions: Record<string, Schema> = {};
const kinds: Record<string, Schema> = {};

for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, "utf8");
  if (file.endsWith(".json")) takeNative(JSON.parse(text).definitions);
  else for (const document of parseAllDocuments(text)) takeCustom(document.toJS());
}
writeFileSync(
  new URL("kubernetes.json", import.meta.url),
  `${JSON.stringify({ kinds, definitions })}\n`,
);

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
