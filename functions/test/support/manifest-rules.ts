/**
 * What an environment's manifests must say. What the generator makes true in knative/base needs no rule: these are
 * about what overlays and components by hand can undo, and about who may reach what, which is checked a second way.
 */
import { debugRules } from "./debug-rules.ts";
import type { Environment } from "./environment.ts";
import { functionRules } from "./function-rules.ts";
import { meshRules } from "./mesh-rules.ts";
import { networkRules } from "./network-rules.ts";
import { outsideRules } from "./outside-rules.ts";
import { platformRules } from "./platform-rules.ts";
import { prodRules } from "./prod-rules.ts";

const rules = [
  ...functionRules,
  ...platformRules,
  ...meshRules,
  ...networkRules,
  ...outsideRules,
  ...prodRules,
  ...debugRules,
];

/** Everything that is wrong with an environment, one sentence each; empty when it is right. */
export function problemsOf(environment: Environment): string[] {
  return rules.flatMap((rule) => rule(environment));
}
