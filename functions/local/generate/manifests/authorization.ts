/** istio/base/callers.yaml and istio/base/activator.yaml: the graph's edges as what Istio lets through. */

import { wakePath } from "#host/base/wake-config";
import type { Definition } from "#host/kinds/definition";
import type { Deployable } from "../../discover.ts";
import { callersOf, type Edges, usersOf } from "./edges.ts";
import { ingress, namespace, shared } from "./platform.ts";
import { wakersOf } from "./wake.ts";
import type { Written } from "./written.ts";

interface Edge extends Edges {
  readonly name: string;
  /** Accounts that call what is above the function, and may wake it: that and nothing else. */
  readonly wakers: readonly string[];
}

function edgeTo(
  callee: Deployable,
  functions: readonly Deployable[],
  definitions: readonly Definition[],
): Edge {
  const edges = callersOf(callee, definitions);
  const wakers = wakersOf(callee, functions).filter((one) => !edges.accounts.includes(one));
  return { name: callee.name, wakers, ...edges };
}

const policyOf = (metadata: object, spec: object) => ({
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { ...metadata, labels: shared },
  spec,
});

/** One policy for each callee, the broker and the database. An empty list of rules allows nothing. */
export function callerPolicies(
  functions: readonly Deployable[],
  definitions: readonly Definition[],
): Written[] {
  const rule = (accounts: readonly string[], operation?: object) => {
    const to = operation && { to: [{ operation }] };
    return accounts.length > 0
      ? [{ from: [{ source: { serviceAccounts: accounts } }], ...to }]
      : [];
  };
  const of = (name: string, rules: readonly object[]) =>
    policyOf({ name }, { selector: { matchLabels: { app: name } }, rules });
  const policies = [
    ...functions.map((callee) => {
      const { accounts, wakers, public: isPublic } = edgeTo(callee, functions, definitions);
      const outside = isPublic ? [`${ingress.namespace}/${ingress.name}`] : [];
      return of(callee.name, [
        ...rule([...accounts, ...outside]),
        ...rule(wakers, { methods: ["GET"], paths: [wakePath] }),
      ]);
    }),
    of("rabbitmq", rule(usersOf("rabbitmq", definitions), { ports: ["5672"] })),
    of("mongodb", rule(usersOf("mongodb", definitions), { ports: ["27017"] })),
  ];
  const [first = {}, ...others] = policies;
  const about =
    "Who may call whom is the graph: one policy for each callee, with its callers' accounts. What is not allowed here is refused (authorization.yaml). A queue's messages come by the account of its source, or of the bridge where that stands in for it. Who calls a function further above may wake it, and nothing else.";
  return [{ about, object: first }, ...others.map((object) => ({ object }))];
}

/** Two policies, since the environment's namespace is put into the accounts of the first, and not into the ingress'. */
export function activatorPolicies(
  functions: readonly Deployable[],
  definitions: readonly Definition[],
): Written[] {
  const edges = functions.map((callee) => edgeTo(callee, functions, definitions));
  const names = functions.map(({ name }) => name);
  const deny = (what: string, rules: readonly object[]) =>
    policyOf(
      { name: `${what}-of-${namespace}`, namespace: "knative-serving" },
      { selector: { matchLabels: { app: "activator" } }, action: "DENY", rules },
    );
  const inside = edges.filter(({ accounts }) => accounts.length > 0);
  const outside = edges.filter(({ accounts }) => accounts.length === 0);
  return [
    {
      about:
        "The same edges at Knative's activator. A function cannot see who called when the activator is between: it sees the activator. So the activator's sidecar refuses what is no edge, by the headers that the activator itself goes by. Of a header sent twice the activator takes the first value, and Envoy sees both with a comma between. Probes pass: the activator answers these two values and passes neither on. Any other value, even an empty one, exempts nothing. Requests of other namespaces are not looked at. Requests without the two headers are refused by istio/mesh/activator.yaml. Of a function that is woken from further above there are two rules: who does not call it may only GET /wake, and who does not wake it either may not do that.",
      object: deny(
        "edges",
        inside.flatMap((edge) => insideRules(edge, names)),
      ),
    },
    {
      about:
        "The gateway and the page are for those outside: nothing in the mesh calls them. The last rule refuses revisions of no function of the graph.",
      object: deny("gateway", [
        ...outside.map((edge) => outsideRule(edge, names)),
        { when: conditions({ notValues: names.map((name) => `${name}-*`) }) },
      ]),
    },
  ];
}

const ingressPrincipal = principal(ingress.namespace, ingress.name);

/** Refuse everyone but the accounts, of a public function those outside too; but for a wake by its wakers. */
function insideRules({ name, accounts, wakers, public: isPublic }: Edge, names: readonly string[]) {
  const others = isPublic ? [{ key: "source.principal", notValues: [ingressPrincipal] }] : [];
  const rule = (allowed: readonly string[], to?: readonly object[]) => ({
    from: [{ source: { notPrincipals: allowed.map((one) => principal(namespace, one)) } }],
    ...(to && { to }),
    when: [...towards(name, names), ...others],
  });
  if (wakers.length === 0) return [rule(accounts)];
  const isNoWake = [
    { operation: { notMethods: ["GET"] } },
    { operation: { notPaths: [wakePath] } },
  ];
  return [rule(accounts, isNoWake), rule([...accounts, ...wakers])];
}

function outsideRule({ name, public: isPublic }: Edge, names: readonly string[]) {
  const others = isPublic && { from: [{ source: { notPrincipals: [ingressPrincipal] } }] };
  return { ...others, when: towards(name, names) };
}

function principal(owner: string, account: string): string {
  return `cluster.local/ns/${owner}/sa/${account}`;
}

/** Requests for the function's revisions, which are not those of a function whose name begins with this one's. */
function towards(name: string, names: readonly string[]) {
  const longer = names.filter((other) => other.startsWith(`${name}-`));
  const notValues = longer.map((other) => `${other}-*`);
  return conditions({ values: [`${name}-*`], ...(notValues.length > 0 && { notValues }) });
}

/** istio/components/environment puts the environment's namespace into the first condition's two values. */
function conditions(revision: { values?: readonly string[]; notValues?: readonly string[] }) {
  return [
    { key: "request.headers[Knative-Serving-Namespace]", values: [namespace, `${namespace},*`] },
    { key: "request.headers[Knative-Serving-Revision]", ...revision },
    { key: "request.headers[K-Network-Probe]", notValues: ["probe", "activator"] },
  ];
}
