import { once } from "node:events";
import { connect } from "node:net";

export interface Raw extends Disposable {
  write(text: string | Buffer): void;
  /** All that the other side has said so far. */
  said(): string;
  /** Settles when the other side has closed the connection, with all that it said. */
  readonly closed: Promise<string>;
}

/** A connection whose every byte the test writes itself. */
export async function openRaw(port: number): Promise<Raw> {
  const socket = connect(port, "127.0.0.1").setNoDelay();
  await once(socket, "connect");
  let said = "";
  socket.on("data", (chunk) => {
    said += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  const { promise: closed, resolve } = Promise.withResolvers<string>();
  socket.once("close", () => resolve(said));
  return {
    write: (text) => void socket.write(text),
    said: () => said,
    closed,
    [Symbol.dispose]: () => socket.destroy(),
  };
}
