/** Who may be debugged, and what must not end a pause there. An inspector runs any code, so it is in dev-debug alone. */
import { isDeepStrictEqual } from "node:util";
import { container, type Environment, eachService, type Rule } from "./environment.ts";
import { at, titleOf } from "./manifests.ts";

const args = ["--inspect=127.0.0.1:9229", "/app/main.js"];
/** Knative's max-revision-timeout-seconds. */
const longestSeconds = 600;

const isDebug = ({ overlay }: Environment) => overlay.endsWith("-debug");

/** Written anywhere: as an argument, a command or a variable. */
function inspectors(environment: Environment): string[] {
  if (isDebug(environment)) return [];
  return environment.manifests
    .filter((one) => JSON.stringify(one).includes("--inspect"))
    .map((one) => `${titleOf(one)}: has an inspector, which is for dev-debug alone`);
}

function pauses(environment: Environment): string[] {
  if (!isDebug(environment)) return [];
  return eachService(environment).flatMap(([{ name }, service]) => {
    const spec = at<Record<string, unknown>>(service, "spec.template.spec") ?? {};
    const all = at<Record<string, string>>(service, "spec.template.metadata.annotations") ?? {};
    const scale = ["min", "max"].map((end) => all[`autoscaling.knative.dev/${end}-scale`]);
    const probes = ["livenessProbe", "readinessProbe"].filter((probe) =>
      at(service, `${container}.${probe}`),
    );
    const limits = [spec.timeoutSeconds, spec.responseStartTimeoutSeconds];
    return [
      ...(isDeepStrictEqual(at(service, `${container}.args`), args)
        ? []
        : [`${name} has no inspector on its pod's loopback`]),
      ...(isDeepStrictEqual(scale, ["1", "1"])
        ? []
        : [`${name} scales from ${scale.join(" to ")}: a request may reach another instance`]),
      ...probes.map((probe) => `${name} has a ${probe}, which a paused process does not answer`),
      ...(limits.every((seconds) => seconds === longestSeconds)
        ? []
        : [
            `${name} has ${limits.map(String).join(" and ")} s for a request: a pause may take 600`,
          ]),
    ];
  });
}

export const debugRules: readonly Rule[] = [inspectors, pauses];
