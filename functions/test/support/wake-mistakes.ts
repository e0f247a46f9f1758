/** Mistakes in what is woken, and in who may wake it. */
import type { Mistake } from "./manifest-mistakes.ts";

export const wakeMistakes: readonly Mistake[] = [
  [
    "more than a wake for a function further above",
    /AuthorizationPolicy service-g$/,
    "spec.rules.1.to",
    undefined,
    /^AuthorizationPolicy service-g: selects or allows more/,
  ],
  [
    "a wake by POST",
    /AuthorizationPolicy service-g$/,
    "spec.rules.1.to.0.operation.methods.1",
    "POST",
    /^AuthorizationPolicy service-g: selects or allows more/,
  ],
  [
    "a wake by a function that has nothing below it",
    /AuthorizationPolicy service-g$/,
    "spec.rules.1.from.0.source.serviceAccounts.2",
    "service-c",
    /^AuthorizationPolicy service-g: selects or allows more/,
  ],
  [
    "a wake that the activator refuses",
    /AuthorizationPolicy edges-of-dev$/,
    "spec.rules.3.to",
    undefined,
    /^the activator lets .* through to service-d/,
  ],
  [
    "a function that wakes less than is below it",
    /^serving.*Service service-a$/,
    "spec.template.spec.containers.0.env.0.value",
    '{"service-b":["service-d"]}',
    /^service-a wakes \[service-d\], and the graph \[service-d,service-e,service-f,/,
  ],
  [
    "a wake where every function stands",
    /ConfigMap settings/,
    "data.WAKE_IDLE_MS",
    "55000",
    /^settings: WAKE_IDLE_MS is 55000, wrong for these scales$/,
    "prod",
  ],
  [
    "a silence that is longer than an instance stays",
    /ConfigMap settings/,
    "data.WAKE_IDLE_MS",
    "20000",
    /^settings: WAKE_IDLE_MS is 20000, wrong for these scales$/,
    "test",
  ],
];
