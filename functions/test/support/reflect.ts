/** A client of gRPC's server reflection, v1. */
import { createRequire } from "node:module";
import {
  credentials,
  loadPackageDefinition,
  type makeGenericClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

export interface Reflected {
  listServicesResponse?: { service?: { name: string }[] };
  fileDescriptorResponse?: { fileDescriptorProto: Buffer[] };
}

/** The answers to these requests, in order. */
export async function reflect(port: number, requests: object[]): Promise<Reflected[]> {
  const folder = createRequire(import.meta.url).resolve("@grpc/reflection/package.json");
  const proto = folder.replace("package.json", "build/proto/grpc/reflection/v1/reflection.proto");
  const { grpc } = loadPackageDefinition(loadSync(proto)) as never as {
    grpc: {
      reflection: { v1: { ServerReflection: ReturnType<typeof makeGenericClientConstructor> } };
    };
  };
  const { ServerReflection } = grpc.reflection.v1;
  const client = new ServerReflection(`127.0.0.1:${port}`, credentials.createInsecure());
  const stream = client.ServerReflectionInfo?.();
  for (const request of requests) stream.write(request);
  stream.end();
  return stream.toArray().finally(() => client.close());
}
