/** What istio/components/rate-limit counts, read from its filter as Envoy reads it. */
import { at, type Manifest } from "./manifests.ts";

interface HeaderMatcher {
  name: string;
  string_match: { contains?: string; suffix?: string; ignore_case?: boolean };
  invert_match?: boolean;
}

interface Bucket {
  max_tokens: number;
  tokens_per_fill: number;
  fill_interval: string;
}

/** The filter that istiod puts into the ingress. */
export interface LocalRateLimit {
  rate_limits: {
    actions: { header_value_match: { descriptor_value: string; headers: HeaderMatcher[] } }[];
  }[];
  descriptors: { entries: { key: string; value: string }[]; token_bucket: Bucket }[];
  token_bucket: Bucket;
}

const filterPath = "spec.configPatches.0.patch.value";

/** With its name, as it stands among Envoy's HTTP filters. */
export function httpFilterOf(filter: Manifest): { name: string; typed_config: LocalRateLimit } {
  const found = at<{ name: string; typed_config: LocalRateLimit }>(filter, filterPath);
  if (!found) throw new Error("the filter adds nothing to Envoy");
  return found;
}

/** Whether a request for a host takes a token from the environment's bucket, which has an end. */
export function counts(filter: Manifest, host: string): boolean {
  const { rate_limits, descriptors } = httpFilterOf(filter).typed_config;
  const values = rate_limits
    .flatMap(({ actions }) => actions)
    .filter(({ header_value_match: { headers } }) => headers.every((one) => isMet(one, host)))
    .map(({ header_value_match }) => header_value_match.descriptor_value);
  return descriptors.some(
    ({ entries, token_bucket }) =>
      token_bucket.tokens_per_fill <= 10_000 &&
      entries.every(({ key, value }) => key === "header_match" && values.includes(value)),
  );
}

function isMet({ name, string_match, invert_match = false }: HeaderMatcher, host: string): boolean {
  if (name !== ":authority") throw new Error(`a limit by the header ${name} is not known here`);
  const { contains, suffix, ignore_case = false } = string_match;
  const fold = (text: string) => (ignore_case ? text.toLowerCase() : text);
  const given = fold(host);
  const holds =
    contains === undefined
      ? suffix !== undefined && given.endsWith(fold(suffix))
      : given.includes(fold(contains));
  return holds !== invert_match;
}
