/** The schemas of Kubernetes, Knative and Istio, as schemas/renew.ts took them from their releases. */
import { Ajv, type ValidateFunction } from "ajv";
import kubernetes from "../schemas/kubernetes.json" with { type: "json" };
import { at, type Manifest } from "./manifests.ts";

const ajv = new Ajv({ allErrors: true, strict: false });
const compiled = new Map<string, ValidateFunction>();
const kinds: Record<string, object> = kubernetes.kinds;

/** What the API server would refuse of an object, an unknown field too, each with its place; empty when it is right. */
export function schemaProblems(manifest: Manifest): string[] {
  const { apiVersion, kind, metadata } = manifest;
  const name = `${apiVersion}/${kind}`;
  const schema = kinds[name];
  if (!schema) return [`${name}: there is no such kind, or schemas/renew.ts does not take it`];
  const validate =
    compiled.get(name) ?? ajv.compile({ ...schema, definitions: kubernetes.definitions });
  compiled.set(name, validate);
  validate(manifest);
  const errors = (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const field = "additionalProperty" in params ? `: ${params.additionalProperty}` : "";
    return `${kind} ${metadata.name} ${instancePath || "/"} ${message}${field}`;
  });
  return [...errors, ...emptyValues(manifest)];
}

/** Istio's webhook knows more than its schema: ValidateAttribute of its pkg/config/security. */
function emptyValues(manifest: Manifest): string[] {
  if (manifest.kind !== "AuthorizationPolicy") return [];
  const rules = at<{ when?: Condition[] }[]>(manifest, "spec.rules") ?? [];
  return rules
    .flatMap(({ when = [] }) => when)
    .filter(({ values = [], notValues = [] }) => [...values, ...notValues].includes(""))
    .map(
      ({ key }) => `AuthorizationPolicy ${manifest.metadata.name} has an empty value for ${key}`,
    );
}

interface Condition {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}
