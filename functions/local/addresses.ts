import { freePort, holderOf, isFree } from "./ports.ts";

/** The gateway's port and the first of the others', or any that are free. */
export type Ports = { gateway: number; first: number } | "free";

/** Some of the ports that were asked for belong to somebody else. */
export class PortsTakenError extends Error {
  override readonly name = "PortsTakenError";
}

/** A port for each function: the gateway's own, the others' one after the other in their order. */
export async function assignPorts(
  names: readonly string[],
  ports: Ports,
): Promise<Map<string, number>> {
  if (ports === "free") return freePorts(names);
  let next = ports.first;
  const addresses = new Map(
    names.map((name) => [name, name === "gateway" ? ports.gateway : next++] as const),
  );
  const problems = await Promise.all([...addresses].map(describeTaken));
  const taken = problems.filter((problem) => problem !== undefined);
  if (taken.length === 0) return addresses;
  throw new PortsTakenError(
    `${taken.join("\n")}\nEnd what holds them, or choose other ports: npm start -- --port ${ports.gateway + 1000}`,
  );
}

async function freePorts(names: readonly string[]): Promise<Map<string, number>> {
  const ports = new Set<number>();
  while (ports.size < names.length) ports.add(await freePort());
  const [...list] = ports;
  return new Map(names.map((name, index) => [name, list[index] as number]));
}

async function describeTaken([name, port]: readonly [string, number]) {
  if (await isFree(port)) return undefined;
  const holder = (await holderOf(port)) ?? "a process that cannot be seen";
  return `port ${port} (${name}) is held by ${holder}`;
}
