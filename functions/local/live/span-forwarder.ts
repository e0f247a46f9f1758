import { reasonOf } from "#host/base/errors";
import type { OtlpBody } from "../otlp.ts";
import { spanReceiver } from "./span-receiver.ts";

export interface SpanForwarder {
  /** Never waits, and never throws: what cannot be sent on is dropped. */
  send(body: OtlpBody): void;
  /** Waits a moment for what is still to be sent. */
  close(): Promise<void>;
}

const mostBytes = 16 * 1_048_576;
const closeLimitMs = 2_000;

/**
 * Sends spans on to the receiver that the person's own OTEL_ variables name; undefined where they name
 * none. The functions send theirs to the live graph, which hands them on by this, as they came.
 */
export function createSpanForwarder(
  env: NodeJS.ProcessEnv,
  report: (line: string) => void,
): SpanForwarder | undefined {
  const receiver = readReceiver(env, report);
  if (!receiver) return undefined;
  const waiting: OtlpBody[] = [];
  let bytes = 0;
  let sending: Promise<void> | undefined;
  let reported = false;

  const post = async (body: OtlpBody) => {
    try {
      await receiver.send(body);
      reported = false;
    } catch (error) {
      // Once for each time that it goes away: batches come twice a second.
      if (!reported) {
        report(`Spans cannot be sent on to ${receiver.url.origin}: ${reasonOf(error)}`);
      }
      reported = true;
    }
  };
  const work = async () => {
    for (let body = waiting.shift(); body; body = waiting.shift()) {
      bytes -= body.bytes.length;
      await post(body);
    }
    sending = undefined;
  };

  return {
    send(body) {
      if (bytes + body.bytes.length > mostBytes) return;
      bytes += body.bytes.length;
      waiting.push(body);
      sending ??= work();
    },
    async close() {
      const limit = new Promise<void>((resolve) => setTimeout(resolve, closeLimitMs).unref());
      await Promise.race([sending, limit]);
      waiting.length = 0;
    },
  };
}

function readReceiver(env: NodeJS.ProcessEnv, report: (line: string) => void) {
  try {
    return spanReceiver(env);
  } catch (error) {
    report(`Spans are not sent on: ${(error as Error).message}`);
    return undefined;
  }
}
