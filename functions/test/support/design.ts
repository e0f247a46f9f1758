/**
 * The graph as the design draws it, written a second time on purpose: this is what must not change by chance.
 * Functions that are added beside it are no part of it, and change no test.
 */
export const designEdges: readonly string[] = [
  "bridge -cloudevents-> service-f",
  "rabbitmq:service-d -amqp-> bridge",
  "gateway -grpc-> service-a",
  "service-a -grpc-> service-b",
  "service-a -http-> service-c",
  "service-b -http-> service-d",
  "service-b -grpc-> service-e",
  "service-c -mongodb-> mongodb:service-c.greetings",
  "service-d -amqp-> rabbitmq:service-d",
  "service-e -grpc-> service-g",
  "service-e -http-> service-h",
  "service-f -mongodb-> mongodb:service-f.messages",
  "service-g -mongodb-> mongodb:service-g.greetings",
  "service-h -mongodb-> mongodb:service-h.greetings",
];

const letters = [..."abcdefgh"];

/** Its functions, in alphabetical order; the page shows the graph and is not in it. */
export const designFunctions: readonly string[] = [
  "bridge",
  "gateway",
  ...letters.map((letter) => `service-${letter}`),
];

/** As the design's edges are written. */
export function edgeText(edge: { from: string; to: string; protocol: string }): string {
  return `${edge.from} -${edge.protocol}-> ${edge.to}`;
}

export function isOfDesign(edge: { from: string; to: string; protocol: string }): boolean {
  return designEdges.includes(edgeText(edge));
}
