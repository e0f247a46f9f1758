import type { Server } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromObject } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import descriptors from "../../../proto/gen/descriptors.json" with { type: "json" };

interface File {
  readonly name: string;
  readonly package?: string;
  readonly dependency?: readonly string[];
  readonly service?: readonly { readonly name: string }[];
}

/**
 * Describes the services, by their full names, with the files of proto/ that declare them. Without
 * grpc.health.v1: protobufjs describes its map field in a way that clients refuse.
 */
export function addReflection(server: Server, services: readonly string[]): void {
  const files = new Map<string, File>();
  const all: readonly File[] = descriptors.file;
  const add = (file: File) => {
    // What a file imports comes before it.
    for (const name of file.dependency ?? []) all.filter((one) => one.name === name).forEach(add);
    files.set(file.name, file);
  };
  const declares = (file: File, service: string) =>
    file.service?.some(({ name }) => [file.package, name].join(".") === service);
  for (const service of services) all.filter((file) => declares(file, service)).forEach(add);
  const file = [...files.values()];
  new ReflectionService(
    file.length > 0 ? loadFileDescriptorSetFromObject({ file }) : {},
  ).addToServer(server);
}
