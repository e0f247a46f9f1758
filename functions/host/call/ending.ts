import type { HostError } from "../base/errors.ts";

/**
 * When and why a call's work has to end: an AbortSignal for the host's own use. A real one costs as much as the rest
 * of a short call does, so it is made only for code that asks for it.
 */
export class Ending {
  #reason: HostError | undefined;
  #listeners: Set<(reason: HostError) => void> | undefined;
  #controller: AbortController | undefined;

  /** Why it has to end; undefined while it may go on. */
  get reason(): HostError | undefined {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The first reason counts. */
  abort(reason: HostError): void {
    if (this.#reason) return;
    this.#reason = reason;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener(reason);
    this.#controller?.abort(reason);
  }

  /** Calls the listener once, at once where it is over already. Returns what takes the listener away. */
  onAbort(listener: (reason: HostError) => void): () => void {
    if (this.#reason) {
      listener(this.#reason);
      return () => {};
    }
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
    return () => void this.#listeners?.delete(listener);
  }

  /** The promise's outcome, or the reason when it has to end and the promise has not settled `graceMs` later. */
  limit<T>(promise: Promise<T>, graceMs = 0): Promise<T> {
    const { promise: limited, resolve, reject } = Promise.withResolvers<T>();
    let grace: NodeJS.Timeout | undefined;
    const off = this.onAbort((reason) => {
      if (graceMs === 0) reject(reason);
      else grace = setTimeout(reject, graceMs, reason);
    });
    const settle = () => {
      off();
      if (grace) clearTimeout(grace);
    };
    promise.then(
      (value) => {
        settle();
        resolve(value);
      },
      (thrown) => {
        settle();
        reject(thrown);
      },
    );
    return limited;
  }
}
