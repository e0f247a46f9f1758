/** What a slow client of gRPC cannot do: keep a call open with a request that it does not end, or an answer that it does not take. */
import { constants, type ServerHttp2Stream } from "node:http2";
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from "@grpc/grpc-js";

/**
 * Ends a call whose one message does not come: it is handed to a handler, and gets its deadline, only with that. A
 * stream of messages has its deadline from the start.
 */
export function requestInTime(limitMs: number): ServerInterceptor {
  return ({ requestStream }, call) => {
    if (requestStream) return new ServerInterceptingCall(call);
    let timer: NodeJS.Timeout | undefined;
    const stop = () => clearTimeout(timer);
    return new ServerInterceptingCall(call, {
      start(next) {
        const listener = new ServerListenerBuilder()
          .withOnReceiveHalfClose((pass) => {
            stop();
            pass();
          })
          .withOnCancel(stop)
          .build();
        const details = "the request did not come in time";
        timer = setTimeout(
          () => call.sendStatus({ code: status.DEADLINE_EXCEEDED, details }),
          limitMs,
        ).unref();
        next(listener);
      },
      sendStatus(last, next) {
        stop();
        next(last);
      },
    });
  };
}

/**
 * Resets the stream of a call whose client takes no message, because its window stays at 0, or does not end its own
 * side after the answer. It has to be the first interceptor: grpc-js hands only that one the call that has the stream.
 */
export function answerInTime(limitMs: number): ServerInterceptor {
  return (_, call) => new CallInTime(call, limitMs);
}

class CallInTime extends ServerInterceptingCall {
  readonly #stream: ServerHttp2Stream;
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(call: ServerInterceptingCallInterface, limitMs: number) {
    super(call);
    // Private in grpc-js' types. A deadline's end is no help without it: the status waits behind the message.
    this.#stream = (call as unknown as { stream: ServerHttp2Stream }).stream;
    this.#limitMs = limitMs;
    this.#stream.once("finish", () => this.#wait()).once("close", () => this.#stop());
  }

  override sendMessage(message: unknown, taken: () => void): void {
    this.#wait();
    super.sendMessage(message, () => {
      this.#stop();
      taken();
    });
  }

  #wait(): void {
    this.#stop();
    if (this.#stream.closed) return;
    this.#timer = setTimeout(
      () => this.#stream.close(constants.NGHTTP2_CANCEL),
      this.#limitMs,
    ).unref();
  }

  #stop(): void {
    clearTimeout(this.#timer);
  }
}
