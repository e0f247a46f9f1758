/** Run in a process of its own: a greeter that needs no other, so that what is tried with it is its host alone. */
import { greeter } from "#host";
import { startHost } from "#host/host";

await startHost(greeter({ name: "fuzzed", greeting: "Hello" }));
