/**
 * Asks the policies as a stranger and as each caller of the graph, with every mixture of the headers that Knative goes
 * by. What the activator and the queue-proxy do with a request that gets through is modelled by their
 * source (Knative 1.21: pkg/activator/handler, pkg/queue): of a header sent twice they take the first value, and an
 * empty header is none. knative/cluster/strangers asks a real cluster.
 */
import { callersOf, type Environment, ingress, servicesOf, wakersOf } from "./environment.ts";
import type { Manifest } from "./manifests.ts";
import { type Asked, isAllowed, policiesAt, type Reading } from "./policies.ts";

type Header = readonly [name: string, value: string];

export const readings: readonly Reading[] = ["joined", "each"];
const probe = "K-Network-Probe";
const revisionOf = "Knative-Serving-Revision";
const namespaceOf = "Knative-Serving-Namespace";
export const activator = { namespace: "knative-serving", labels: { app: "activator" } };

type Request = readonly [method: string, path: string];

const call: Request = ["GET", "/api/greeting"];
const wake: Request = ["GET", "/wake"];
/** As Knative's networking layer and its autoscaler ask. */
const probing: Request = ["GET", "/healthz"];

/** What who may only wake a function could try in place of that. */
const tricks: readonly Request[] = [
  call,
  ["POST", "/wake"],
  ["HEAD", "/wake"],
  ["GET", "/"],
  ["GET", "/wake/"],
  ["GET", "//wake"],
  ["GET", "/wake/../api/greeting"],
  ["GET", "/api/greeting/wake"],
  ["GET", "/WAKE"],
  ["POST", "/greeting.GreetingService/Greeting"],
];

/** A problem for each function that a stranger reaches, or that an edge of the graph or a probe does not reach. */
export function strangers(environment: Environment): string[] {
  const { namespace, manifests, mesh } = environment;
  const gate = policiesAt([...manifests, ...mesh], activator);
  const accounts = servicesOf(environment).map(({ name }) => name);
  return servicesOf(environment).flatMap((callee) => {
    const labels = { app: callee.name, "app.kubernetes.io/component": "function" };
    const walls = { gate, function: policiesAt([...manifests, ...mesh], { namespace, labels }) };
    const principals = (names: string[]) => names.map((one) => principalOf(one, namespace));
    const callers = principals(callersOf(environment, callee));
    const wakers = principals(wakersOf(environment, callee));
    // Nothing wakes from outside, though the ingress calls what is public.
    const mayWake = [...callers, ...wakers].filter(
      (one) => one !== principalOf(ingress, namespace),
    );
    const others = principals([...accounts, ingress, "other/gateway", "stranger"]).filter(
      (one) => !callers.includes(one),
    );
    const all = mixtures(`${callee.name}-00001`, namespace);
    const plain = all.filter(({ headers }) => headers.length === 2);
    const isFor = `${namespace}/${callee.name}-00001`;
    return [
      ...[undefined, ...others].flatMap((one) =>
        (one && wakers.includes(one) ? tricks : [call, wake]).flatMap((request) => [
          ...throughActivator(walls, one, isFor, others.at(-1) === one ? all : plain, request),
          ...pastActivator(walls, one, callee.name, request),
        ]),
      ),
      ...callers.flatMap((one) => shutOut(walls, one, callee.name, namespace, call)),
      ...mayWake.flatMap((one) => shutOut(walls, one, callee.name, namespace, wake)),
    ].slice(0, 1);
  });
}

interface Walls {
  readonly gate: readonly Manifest[];
  readonly function: readonly Manifest[];
}

/** Requests of someone who is no caller that the activator passes on to the function. */
function throughActivator(
  { gate }: Walls,
  principal: string | undefined,
  to: string,
  requests: ReturnType<typeof mixtures>,
  request: Request,
): string[] {
  return requests
    .filter(({ headers, host }) => {
      const asked = askedBy(principal, request, headers);
      return reaches(host, headers) === to && readings.some((one) => isAllowed(gate, asked, one));
    })
    .map(({ headers, host }) =>
      said(to, principal, `${wordsOf(request)}through the activator as ${host}`, headers),
    );
}

/** The queue-proxy answers a probe, and passes on what is none. */
function pastActivator(
  walls: Walls,
  principal: string | undefined,
  name: string,
  request: Request,
): string[] {
  return mixed(probe, probeValues)
    .filter((headers) => {
      const asked = askedBy(principal, request, headers);
      return readings.some((one) => isAllowed(walls.function, asked, one));
    })
    .map((headers) => said(name, principal, `${wordsOf(request)}past the activator`, headers));
}

function askedBy(
  principal: string | undefined,
  [method, path]: Request,
  headers: readonly Header[],
): Asked {
  return { ...(principal && { principal }), port: "8012", method, path, headers };
}

function wordsOf(request: Request): string {
  return request === call ? "" : `by ${request.join(" ")} `;
}

/** Requests as Knative's routes send them, and its probes, that are refused. */
function shutOut(
  walls: Walls,
  principal: string,
  name: string,
  namespace: string,
  request: Request,
): string[] {
  const route = routeHeaders(name, namespace);
  const refused = (what: string, at: keyof Walls, headers: readonly Header[], by = principal) => {
    const asked = askedBy(by, by === principal ? request : probing, headers);
    return readings.every((one) => isAllowed(walls[at], asked, one))
      ? []
      : [`${at === "gate" ? "the activator" : name} refuses ${what} by ${by} to ${name}`];
  };
  const [router, autoscaler] = [ingress, "knative-serving/controller"].map((one) =>
    principalOf(one, namespace),
  );
  return [
    ...refused(request === call ? "a request" : request.join(" "), "gate", route),
    ...refused(request === call ? "a request" : request.join(" "), "function", []),
    ...refused("a route's probe", "gate", [...route, [probe, "probe"]], router),
    ...refused("a route's probe", "function", [[probe, "probe"]], router),
    ...refused("the autoscaler's probe", "gate", [[probe, "activator"]], autoscaler),
  ];
}

/** What Knative's routes add to a request for a function. */
export function routeHeaders(name: string, namespace: string): Header[] {
  return [
    [namespaceOf, namespace],
    [revisionOf, `${name}-00001`],
  ];
}

function said(to: string, principal: string | undefined, way: string, headers: readonly Header[]) {
  const sent = headers.map(([key, value]) => `${key}: ${value}`);
  return `${principal ?? "plain text"} reaches ${to} ${way} with [${sent.join("; ")}]`;
}

/** The revision that the activator passes a request on to, as NAMESPACE/NAME; undefined where it answers itself. */
function reaches(host: string, headers: readonly Header[]): string | undefined {
  if (first(headers, probe)) return undefined;
  const [namespace, revision] = [first(headers, namespaceOf), first(headers, revisionOf)];
  if (namespace && revision) return `${namespace}/${revision}`;
  const [name, owner] = /^([^.]+)\.([^.]+)\.svc\.cluster\.local(:.*)?$/.exec(host)?.slice(1) ?? [];
  return `${owner}/${name}`;
}

function first(headers: readonly Header[], name: string): string | undefined {
  return headers.find(([header]) => header === name)?.[1];
}

const probeValues = [[], [""], ["", "probe"], ["", "activator"], ["", ""]];

function mixtures(revision: string, namespace: string) {
  const hosts = ["x", `${revision}.${namespace}.svc.cluster.local`];
  const values = (own: string) => [[], [""], [own], [own, "x"], ["", own], ["x"], ["", "x"]];
  return [...hosts, `${hosts[1]}:80`].flatMap((host) =>
    mixed(namespaceOf, values(namespace)).flatMap((one) =>
      mixed(revisionOf, values(revision)).flatMap((other) =>
        mixed(probe, probeValues).map((last) => ({ host, headers: [...one, ...other, ...last] })),
      ),
    ),
  );
}

/** One list of headers for each list of values. */
function mixed(name: string, lists: readonly (readonly string[])[]): Header[][] {
  return lists.map((values) => values.map((value) => [name, value] as const));
}

/** Of "ACCOUNT" in this namespace, or "NAMESPACE/ACCOUNT". */
export function principalOf(account: string, namespace: string): string {
  const [name, owner = namespace] = account.split("/").reverse();
  return `cluster.local/ns/${owner}/sa/${name}`;
}
