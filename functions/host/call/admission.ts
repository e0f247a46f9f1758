import { type Config, callProtocols } from "../base/config.ts";
import { HostError } from "../base/errors.ts";
import type { PropagatedHeaders } from "../base/headers.ts";
import type { Call } from "./call.ts";
import type { Callee, CallProtocol } from "./callee.ts";
import { createFaults, type FaultsOptions } from "./faults.ts";

/** What a request asks of every function that it passes: faults, the protocol of its calls, more in the log. */
export interface Admission {
  /** The headers as this function takes and passes them on: without those that it may not heed. */
  headersOf(headers: PropagatedHeaders): PropagatedHeaders;
  /**
   * To be waited for before any work for the call: rejects with ERR_BAD_REQUEST for headers that are
   * wrong, and lets the faults of this function happen. `event` is the id of the event that is delivered.
   */
  admit(call: Call, event?: string): Promise<void>;
  /** By the request's wish, else by CALL_PROTOCOL's, else the edge's own. */
  protocolOf(callee: Callee, call: Call): CallProtocol;
}

export function createAdmission({
  config,
  ...faultsOptions
}: FaultsOptions & { config: Config }): Admission {
  const faults = config.faults ? createFaults(faultsOptions) : undefined;
  return {
    headersOf(headers) {
      const { "x-fault": fault, "x-log-level": level, ...others } = headers;
      return {
        ...others,
        ...(faults && fault && { "x-fault": fault }),
        ...(config.logLevelHeader && level && { "x-log-level": level }),
      };
    },
    async admit(call, event) {
      const asked = call.headers["x-call-protocol"];
      if (asked !== undefined && !(callProtocols as readonly string[]).includes(asked)) {
        const detail = `x-call-protocol: ${asked}: one of ${callProtocols.join(", ")} is expected`;
        throw new HostError("ERR_BAD_REQUEST", detail);
      }
      await faults?.inject(call, event);
    },
    protocolOf({ protocol }, call) {
      const wish = call.headers["x-call-protocol"] ?? config.callProtocol;
      return wish === "http" || wish === "grpc" ? wish : protocol;
    },
  };
}
