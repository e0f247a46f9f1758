/** TLS to the broker and the database, where the URL says so: with the functions' own processes, and real certificates. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { freePort } from "../local/ports.ts";
import { ask } from "./support/ask.ts";
import { type Certificates, makeCertificates } from "./support/certificates.ts";
import { runNode } from "./support/run-function.ts";
import { useDatabase } from "./support/services.ts";
import { startTlsBroker, startTlsProxy, type TlsServer } from "./support/tls-servers.ts";
import { until } from "./support/until.ts";

const main = new URL("../host/main.ts", import.meta.url).pathname;
const database = await useDatabase();
const secret = "not-for-logs";
/** With the authority's own certificate in the chain, and without. */
const unknown =
  /self-signed certificate in certificate chain|unable to verify the first certificate/;

describe("TLS", () => {
  let files: Certificates;
  let broker: TlsServer & { plainPort: number };
  let store: TlsServer;

  before(async () => {
    files = await makeCertificates();
    broker = await startTlsBroker(files);
    store = await startTlsProxy(files, database);
  });
  after(async () => {
    await store?.[Symbol.asyncDispose]();
    await broker?.[Symbol.asyncDispose]();
    await files?.[Symbol.asyncDispose]();
  });

  /** A function's process, and what it says about its readiness and to a request. */
  const run = async (target: string, env: Record<string, string>, ready: boolean) => {
    const port = await freePort();
    const own = {
      FUNCTION_TARGET: target,
      HOST: "127.0.0.1",
      PORT: `${port}`,
      DEADLINE_MS: "3000",
    };
    await using run = runNode([main], { ...own, ...env });
    let why = "";
    const look = async () => {
      const answer = await ask(port, "/readyz").catch(() => undefined);
      why = answer?.text ?? run.stderr();
      return answer && (ready ? answer.status === 200 : /\(.*\)/.test(why) && !/yet/.test(why));
    };
    await until(`${target}: ready is ${ready}`, look, 20_000).catch((error: Error) => {
      throw new Error(`${error.message}; ${why}; ${run.stdout()}`);
    });
    const { status, text } = await ask(port, "/api/greeting");
    assert.equal(status, ready ? 200 : 503, text);
    for (const said of [why, text, run.stdout(), run.stderr()]) {
      assert.ok(!said.includes(secret), `the password is in: ${said}`);
    }
    return { why, text };
  };
  const brokerUrl = (host: string, port: number) => `amqps://guest:guest@${host}:${port}`;
  // Direct: SecantusDB says that it is a replica set, whose member has the address behind the proxy.
  const storeUrl = (host: string, more = "") =>
    `mongodb://${host}:${store.port}/?directConnection=true&tls=true${more}`;

  test("to the broker: amqps, with an authority of one's own in NODE_EXTRA_CA_CERTS", async () => {
    const RABBITMQ_URL = brokerUrl("localhost", broker.port);
    await run("service-d", { RABBITMQ_URL, NODE_EXTRA_CA_CERTS: files.authority }, true);
  });

  test("to the database: tls=true, with an authority of one's own in tlsCAFile or NODE_EXTRA_CA_CERTS", async () => {
    const inUrl = storeUrl("localhost", `&tlsCAFile=${files.authority}`);
    await run("service-c", { MONGODB_URL: inUrl }, true);
    const env = { MONGODB_URL: storeUrl("localhost"), NODE_EXTRA_CA_CERTS: files.authority };
    await run("service-c", env, true);
  });

  for (const [what, host, authority, reason] of [
    ["of an unknown authority", "localhost", "", unknown],
    ["of another authority", "localhost", "stranger", unknown],
    ["for another name", "127.0.0.1", "authority", /127\.0\.0\.1 is not in the cert's list/],
  ] as const) {
    test(`a certificate ${what} is refused by both, and the reason said`, async () => {
      const trusted: Record<string, string> = authority
        ? { NODE_EXTRA_CA_CERTS: files[authority] }
        : {};
      const RABBITMQ_URL = `amqps://user:${secret}@${host}:${broker.port}`;
      const d = await run("service-d", { RABBITMQ_URL, ...trusted }, false);
      assert.match(d.why, reason);
      assert.match(d.text, reason);
      const MONGODB_URL = storeUrl(host).replace("//", `//user:${secret}@`);
      const c = await run("service-c", { MONGODB_URL, ...trusted }, false);
      assert.match(c.why, reason);
      assert.match(c.text, reason);
    });
  }

  test("a server that speaks no TLS is refused where the URL asks for it, and the other way round", async () => {
    const trusted = { NODE_EXTRA_CA_CERTS: files.authority };
    const plain = brokerUrl("localhost", broker.plainPort);
    await run("service-d", { RABBITMQ_URL: plain, ...trusted }, false);
    const RABBITMQ_URL = `amqp://guest:guest@localhost:${broker.port}`;
    await run("service-d", { RABBITMQ_URL, ...trusted }, false);
    const MONGODB_URL = `mongodb://localhost:${store.port}/?directConnection=true`;
    await run("service-c", { MONGODB_URL, ...trusted }, false);
  });
});
