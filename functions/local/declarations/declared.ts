import type { Definition } from "#host/kinds/definition";

/** What a function's folder declares. */
export interface Declared {
  readonly folder: string;
  /** Absent for a handler that is registered with functions-framework directly, and for a file that failed. */
  readonly definition?: Definition;
  readonly failure?: LoadFailure;
}

/** Why the file cannot be loaded, and where: in it, or in a file that it imports. */
export interface LoadFailure {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

/** What is wrong with a declaration, with the way out. It quotes what the file's text holds. */
export interface Problem {
  readonly folder: string;
  readonly text: string;
}
