import { type FaultOf, on } from "../fault.ts";

export const startFaults: readonly FaultOf<"start">[] = on("start", [
  {
    name: "SIGKILL npm start (started again)",
    cutsClients: true,
    async run(system) {
      await system.kill();
      await system.start();
    },
  },
]);
