/** Certificates for tests of TLS, made by openssl: an authority, what it has signed, and another authority. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificates extends AsyncDisposable {
  readonly authority: string;
  /** Has signed nothing. */
  readonly stranger: string;
  /** For the name localhost, and no address. */
  readonly certificate: string;
  readonly key: string;
}

/** Paths of PEM files, until disposal. */
export async function makeCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), "certificates-"));
  const at = (name: string) => join(folder, name);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = (name: string) => {
    const files = ["-keyout", at(`${name}.key`), "-out", at(`${name}.pem`)];
    openssl("req", "-x509", ...curve, "-days", "1", "-subj", `/CN=${name}`, ...files);
    return at(`${name}.pem`);
  };
  const paths = {
    authority: authority("authority"),
    stranger: authority("stranger"),
    certificate: at("server.pem"),
    key: at("server.key"),
  };
  const request = ["-keyout", paths.key, "-out", at("server.csr"), "-subj", "/CN=localhost"];
  openssl("req", "-new", ...curve, ...request, "-addext", "subjectAltName=DNS:localhost");
  const signer = ["-CA", paths.authority, "-CAkey", at("authority.key"), "-CAcreateserial"];
  const files = ["-in", at("server.csr"), "-out", paths.certificate];
  openssl("x509", "-req", "-days", "1", ...signer, ...files, "-copy_extensions", "copy");
  return {
    ...paths,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function openssl(...args: string[]): void {
  const { status, stderr, error } = spawnSync("openssl", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${error?.message ?? stderr}`);
}
