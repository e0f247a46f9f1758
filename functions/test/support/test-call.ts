import type { PropagatedHeaders } from "#host/base/headers";
import { createCall, type RunningCall } from "#host/call/call";
import { createLogger } from "#host/telemetry/logger";

/** A call of a client's; its timer ends with the block that uses it. */
export function testCall(
  options: { timeoutMs?: number; headers?: PropagatedHeaders } = {},
): RunningCall & Disposable {
  const { timeoutMs = 5_000, headers = {} } = options;
  const log = createLogger({ service: "test", level: "silent" });
  const call = createCall({ headers, timeoutMs, log });
  return Object.assign(call, { [Symbol.dispose]: call.end });
}
