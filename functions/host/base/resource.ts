/** A client of an outside server, which reconnects by itself until it is closed. */
export interface Resource {
  /** The server's name as a person knows it, and the key in /readyz. */
  readonly name: string;
  /** Why it cannot be used right now, or undefined when it can. */
  problem(): string | undefined;
  close(): Promise<void>;
}
