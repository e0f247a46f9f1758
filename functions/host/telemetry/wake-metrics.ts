import { Counter } from "@prometheus-io/client";

type Registers = NonNullable<ConstructorParameters<typeof Counter>[0]["registers"]>;

/** Counts the functions that this one has woken. */
export function countWakes(registers: Registers) {
  const wakes = new Counter({
    name: "faas_wakes_total",
    help: "Functions that were woken for a call to one above them, or for a message",
    labelNames: ["faas_invoked_name", "error_type"],
    registers,
  });
  const add = (name: unknown, errorType = "", count = 1) =>
    wakes.inc({ faas_invoked_name: String(name), error_type: errorType }, count);
  return {
    add: (name: unknown, errorType: string | undefined) => add(name, errorType),
    /** With 0: Prometheus sees no increase in a series that begins above it. */
    expect(names: Iterable<string>) {
      for (const name of names) add(name, "", 0);
    },
  };
}
