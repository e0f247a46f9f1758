import { type Callee, grpc, http } from "#host";

export type Edge = (name: string) => Callee;

/** An edge of each protocol, for what must hold whichever it is. */
export const edges: readonly Edge[] = [http, grpc];
