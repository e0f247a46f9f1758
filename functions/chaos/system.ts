import type { Ledger } from "./ledger.ts";
import type { Stores } from "./stores.ts";

/** What every system has that faults happen to. */
export interface System extends AsyncDisposable {
  /** Where clients ask. */
  readonly address: URL;
  readonly ledger: Ledger;
  readonly stores: Stores;
  /** How long a client waits for an answer, where it is longer than usual, ms. */
  readonly clientPatienceMs?: number;
}
