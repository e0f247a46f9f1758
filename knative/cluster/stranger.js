// Runs in a pod that is no edge of the graph (cluster/strangers hands it to node): asks every function by every way
// in, with the headers that an exemption could go by, and public hosts (@HOST) for what is for the inside alone. Prints
// one line for each request, and `end`. Every answer but 403, or no connection at all, is a way in; a public host may
// also answer 400 and 404, for what is no path of its function, and 301 where it is https alone.
const net = require("node:net");

const [namespace, mode, ...all] = process.argv.slice(1);
const functions = all.filter((one) => !one.startsWith("@"));
const publicHosts = all.filter((one) => one.startsWith("@")).map((one) => one.slice(1));
const cluster = "svc.cluster.local";
const activator = "activator-service.knative-serving";
const revisionIs = (name) => ["Knative-Serving-Revision", name];
const namespaceIs = (name) => ["Knative-Serving-Namespace", name];
const probe = (value) => ["K-Network-Probe", value];

/** Rows of one function: [way, what is special, where to, host, headers, path]. */
function rowsOf(name, revision) {
  const own = `${revision}.${namespace}.${cluster}`;
  const both = [namespaceIs(namespace), revisionIs(revision)];
  const passed = `${activator}.${cluster}`;
  const from = (what, headers, host = passed, path = undefined) => {
    return ["activator", what, activator, host, headers, path];
  };
  const byRevision = (what, headers, host = own) => ["revision", what, own, host, headers];
  const inside = `${revision}-private.${namespace}.${cluster}`;
  const past = (what, headers, path = undefined) => {
    return ["past the activator", what, inside, inside, headers, path];
  };
  return [
    ["route", "no header", `${name}.${namespace}`, `${name}.${namespace}`, []],
    ["route", "GET /wake", `${name}.${namespace}`, `${name}.${namespace}`, [], "/wake"],
    ["route", "probe header empty", `${name}.${namespace}`, `${name}.${namespace}`, [probe("")]],
    from("both headers", both),
    from("GET /wake", both, passed, "/wake"),
    from("probe header empty", [...both, probe("")]),
    from("probe header blank", [...both, probe("  ")]),
    from("probe header: queue", [...both, probe("queue")]),
    from("probe header twice, first empty", [...both, probe(""), probe("probe")]),
    from("probe header in lower case, empty", [...both, ["k-network-probe", ""]]),
    from("probe header: Probe", [...both, probe("Probe")]),
    from("kubelet's headers", [...both, ["K-Kubelet-Probe", "x"], ["User-Agent", "kube-probe/1"]]),
    from("activator's user agent", [...both, ["User-Agent", "Knative-Activator-Probe"]]),
    from(
      "names of headers in lower case",
      both.map(([key, value]) => [key.toLowerCase(), value]),
    ),
    from("namespace twice", [...both, namespaceIs("other")]),
    from("revision twice", [...both, revisionIs("other")]),
    byRevision("no header", []),
    byRevision("probe header empty", [probe("")]),
    byRevision("host with a port", [], `${own}:80`),
    byRevision("host in capitals", [], own.toUpperCase()),
    byRevision("revision empty", [revisionIs("")]),
    byRevision("revision empty, host with a port", [revisionIs("")], `${own}:80`),
    byRevision("another revision, no namespace", [revisionIs("other")]),
    byRevision("namespace empty", [namespaceIs(""), revisionIs("other")]),
    byRevision("both empty", [namespaceIs(""), revisionIs("")]),
    byRevision("namespace twice, first empty", [namespaceIs(""), ...both]),
    byRevision("another namespace, revision empty", [namespaceIs("other"), revisionIs("")]),
    past("no header", []),
    past("GET /wake", [], "/wake"),
    past("probe header empty", [probe("")]),
    past("probe header: probe", [probe("probe"), ["K-Network-Hash", "x"]]),
    past("probe header twice, first empty", [probe(""), probe("probe")]),
    past("probe header: queue", [probe("queue")]),
    past("kubelet's headers", [
      ["K-Kubelet-Probe", "x"],
      ["User-Agent", "kube-probe/1"],
    ]),
    past("the activator's headers", [...both, ["User-Agent", "Knative-Activator-Probe"]]),
  ];
}

/** Of a pod without a sidecar, which chooses the host for every address: Knative's local gateway too. */
function plainRowsOf(name, revision) {
  const gateway = "knative-local-gateway.istio-system";
  const host = `${name}.${namespace}.${cluster}`;
  return [
    ...rowsOf(name, revision),
    ["local gateway", "no header", gateway, host, []],
    ["local gateway", "probe header empty", gateway, host, [probe("")]],
    [
      "local gateway",
      "probe header twice, first empty",
      gateway,
      host,
      [probe(""), probe("probe")],
    ],
    ["local gateway", "another revision", gateway, host, [revisionIs("other"), namespaceIs("x")]],
  ];
}

/** Of a host that is public: what is for the inside alone, in all the ways to write it. */
function ingressRowsOf(host) {
  const ingress = "istio-ingressgateway.istio-system";
  const paths = ["metrics", "wake"].flatMap((name) => [
    ...[`/${name}`, `/${name}?x=1`, `/${name}/`, `//${name}`, `/./${name}`, `/x/../${name}`],
    ...[`/%${name.charCodeAt(0).toString(16)}${name.slice(1)}`, `/x/..%2f${name}`, `/\\${name}`],
    ...[`/${name.toUpperCase()}`, `/%2f${name}`, `http://${host}/${name}`, name],
  ]);
  return paths.map((path) => ["ingress", path, ingress, host, [], path]);
}

/** The status, or why there was no answer. By hand, since node:http would not send a header twice as it is. */
function ask(to, host, headers, path = "/api/greeting") {
  return new Promise((resolve) => {
    const socket = net.connect(80, to);
    let text = "";
    const end = (result) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(10_000, () => end("no answer in 10 s"));
    socket.on("error", ({ code }) => end(code));
    socket.on("close", () => end("closed"));
    socket.on("data", (chunk) => {
      text += chunk;
      const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
      if (status) end(status);
    });
    const lines = [["Host", host], ...headers].map(([key, value]) => `${key}: ${value}`);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\nConnection: close\r\n\r\n`);
  });
}

(async () => {
  for (const one of functions) {
    const [name, revision] = one.split("=");
    const rows = mode === "plain" ? plainRowsOf(name, revision) : rowsOf(name, revision);
    for (const [way, what, to, host, headers, path] of rows) {
      const result = await ask(to, host, headers, path);
      process.stdout.write(`row\t${name}\t${way}\t${what}\t${result}\n`);
    }
  }
  // A pod without a sidecar is to the ingress as a client from outside.
  for (const host of mode === "plain" ? publicHosts : []) {
    for (const [way, what, to, , headers, path] of ingressRowsOf(host)) {
      const result = await ask(to, host, headers, path);
      process.stdout.write(`row\t${host}\t${way}\t${what}\t${result}\n`);
    }
  }
  process.stdout.write("end\n");
})().catch((error) => {
  process.stdout.write(`${error}\n`);
  process.exitCode = 1;
});
