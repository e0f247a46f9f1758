/** A certificate authority of a test's own, and certificates by it for 127.0.0.1. Needs openssl on PATH. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificates extends Disposable {
  /** Files in PEM. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  read(file: string): Buffer;
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "certificates-"));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test CA");
  openssl("req", ...newKey, "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=127.0.0.1");
  writeFileSync(at("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  openssl(
    ...["x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"],
    ...["-extfile", "names", "-out", "own.pem"],
  );
  return {
    ca: at("ca.pem"),
    cert: at("own.pem"),
    key: at("own.key"),
    read: (file) => readFileSync(file),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
