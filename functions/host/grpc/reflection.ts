import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import descriptors from "../../../proto/gen/descriptors.json" with { type: "json" };

type Package = ConstructorParameters<typeof ReflectionService>[0];

interface File {
  readonly name: string;
  readonly dependency?: readonly string[];
  readonly services: readonly string[];
  readonly bytes: string;
}

/** Describes the services, by their full names, with the files of proto/ that declare them. */
export function addReflection(server: Server, services: readonly string[]): void {
  const all: readonly File[] = descriptors;
  const files = new Set<File>();
  const add = (file: File) => {
    files.add(file);
    for (const name of file.dependency ?? []) all.filter((one) => one.name === name).forEach(add);
  };
  all.filter((file) => file.services.some((name) => services.includes(name))).forEach(add);
  const fileDescriptorProtos = [...files].map(({ bytes }) => Buffer.from(bytes, "base64"));
  new ReflectionService({ all: { fileDescriptorProtos } } as unknown as Package, {
    services: [...services],
  }).addToServer(server);
}
