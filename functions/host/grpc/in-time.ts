/** What a slow gRPC client cannot do: keep a call open with a request that it does not end, or with an answer that it does not take. */
import { constants, type ServerHttp2Stream } from "node:http2";
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from "@grpc/grpc-js";

/**
 * Ends a call whose one message does not come: a handler gets the call, and with it a deadline, only then. A stream of
 * messages has its deadline from the start. Resets the stream of a call whose client takes no message, because its
 * window stays at 0, or does not end its own side after the answer.
 *
 * It has to be the first interceptor: grpc-js hands only that one the call that has the stream.
 */
export function inTime(limitMs: number): ServerInterceptor {
  return ({ requestStream }, call) => new CallInTime(call, limitMs, requestStream);
}

const late = { code: status.DEADLINE_EXCEEDED, details: "the request did not come in time" };

class CallInTime extends ServerInterceptingCall {
  readonly #stream: ServerHttp2Stream;
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(call: ServerInterceptingCallInterface, limitMs: number, requestStream: boolean) {
    super(call, {
      start: (next) => {
        if (requestStream) return next();
        this.#wait(() => call.sendStatus(late));
        next(new ServerListenerBuilder().withOnReceiveHalfClose(this.#pass).build());
      },
    });
    // Private in grpc-js' types. A status is no help without it: it waits behind the message, a deadline's too.
    this.#stream = (call as unknown as { stream: ServerHttp2Stream }).stream;
    this.#limitMs = limitMs;
    this.#stream.once("finish", () => this.#wait(this.#reset));
    // Not grpc-js' onCancel: a call that was reset before it has started does not get that, and its timer would keep it.
    this.#stream.once("close", () => clearTimeout(this.#timer));
  }

  override sendMessage(message: unknown, taken: () => void): void {
    this.#wait(this.#reset);
    super.sendMessage(message, () => {
      clearTimeout(this.#timer);
      taken();
    });
  }

  readonly #pass = (next: () => void): void => {
    clearTimeout(this.#timer);
    next();
  };

  readonly #reset = (): void => this.#stream.close(constants.NGHTTP2_CANCEL);

  #wait(end: () => void): void {
    clearTimeout(this.#timer);
    if (this.#stream.closed || this.#stream.destroyed) return;
    this.#timer = setTimeout(end, this.#limitMs).unref();
  }
}
