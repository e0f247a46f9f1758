/**
 * What an environment's manifests must say, given the definitions. The graph is written once, in functions/; this
 * keeps the manifests from saying something else.
 */
import type { Environment } from "./environment.ts";
import { functionRules } from "./function-rules.ts";
import { meshRules } from "./mesh-rules.ts";
import { platformRules } from "./platform-rules.ts";

/** Everything that is wrong with an environment, one sentence each; empty when it is right. */
export function problemsOf(environment: Environment): string[] {
  return [...functionRules, ...platformRules, ...meshRules].flatMap((rule) => rule(environment));
}
