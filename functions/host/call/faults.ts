/**
 * Faults that one request brings along in its header x-fault, for the functions that it names:
 *
 *   x-fault: service-g=503@50%, service-c=delay:800ms, seed=42
 *
 * A target's actions happen in the order in which they are given, each with its share (100 % unless it
 * says otherwise). With a seed, whether one happens depends on nothing but the seed, the target, the action,
 * the request id and the attempt, so that a run with the same seed and the same request ids repeats.
 */
import { createHash } from "node:crypto";
import { pause } from "../base/backoff.ts";
import { codeOfHttp, type ErrorCode, errorTable, HostError } from "../base/errors.ts";
import type { Call } from "./call.ts";

type Action = { kind: "status"; status: number } | { kind: "delay"; delayMs: number };

export interface Fault {
  readonly target: string;
  readonly action: Action;
  /** As it was written, without its share. */
  readonly text: string;
  /** From 0 to 1. */
  readonly share: number;
}

export interface Faults {
  /**
   * Lets happen to the call what its header x-fault says of this function: rejects with the fault's
   * error, or settles after its delay. Every delivery of the same `event` is an attempt of its own.
   * Throws ERR_BAD_REQUEST that says what is wrong with the header.
   */
  inject(call: Call, event?: string): Promise<void>;
}

export interface FaultsOptions {
  /** This function's name. */
  name: string;
  /** Every function that can be a target, where that is known: others are refused. */
  targets?: readonly string[] | undefined;
  /** Called with each fault that happens. */
  onFault?: ((kind: Action["kind"]) => void) | undefined;
}

const longestDelayMs = 30_000;
const maxFaults = 64;

/** Events whose attempts are remembered; the oldest is forgotten first, and begins anew. */
const maxEvents = 10_000;

export function createFaults({ name, targets, onFault }: FaultsOptions): Faults {
  const attempts = new Map<string, number>();
  const attemptAt = (event: string): number => {
    const attempt = (attempts.get(event) ?? 0) + 1;
    // Deleted first, so that it becomes the newest of the map.
    attempts.delete(event);
    attempts.set(event, attempt);
    const [oldest] = attempts.keys();
    if (oldest !== undefined && attempts.size > maxEvents) attempts.delete(oldest);
    return attempt;
  };

  const happen = async ({ action, text }: Fault, call: Call): Promise<void> => {
    call.log.info({ fault: text }, "fault injected");
    call.operation?.event("fault.injected", { "fault.target": name, "fault.action": text });
    onFault?.(action.kind);
    if (action.kind === "status") throw failure(action.status, name);
    await pause(action.delayMs, call.signal);
    if (!call.ending.reason) return;
    const { code, message } = call.ending.reason;
    throw new HostError(code, `${name}: ${message} (a fault was injected: ${text})`);
  };

  return {
    async inject(call, event) {
      const header = call.headers["x-fault"];
      if (!header) return;
      const { faults, seed } = parseFaults(header, targets);
      const mine = faults.filter(({ target }) => target === name);
      if (mine.length === 0) return;
      const attempt = event === undefined ? 1 : attemptAt(event);
      for (const fault of mine) {
        const requestId = call.headers["x-request-id"] ?? "";
        if (draw({ seed, target: name, action: fault.text, requestId, attempt }) < fault.share) {
          await happen(fault, call);
        }
      }
    },
  };
}

/** A number from 0 up to 1: always the same for the same seed and the rest, and random without a seed. */
export function draw(of: {
  seed: number | undefined;
  target: string;
  action: string;
  requestId: string;
  attempt: number;
}): number {
  if (of.seed === undefined) return Math.random();
  const text = JSON.stringify([of.seed, of.target, of.action, of.requestId, of.attempt]);
  return createHash("sha256").update(text).digest().readUInt32BE() / 2 ** 32;
}

/** Throws ERR_BAD_REQUEST that lists everything that is wrong. */
export function parseFaults(header: string, targets?: readonly string[]) {
  const faults: Fault[] = [];
  const seeds: number[] = [];
  const problems: string[] = [];
  for (const item of header.split(/[,;]/).map((part) => part.trim())) {
    const read = readItem(item, targets);
    if (typeof read === "string") problems.push(`"${item}": ${read}`);
    else if ("seed" in read) seeds.push(read.seed);
    else faults.push(read);
  }
  if (seeds.length > 1) problems.push("more than one seed");
  if (faults.length > maxFaults) problems.push(`more than ${maxFaults} faults`);
  if (problems.length === 0) return { faults, seed: seeds[0] };
  throw new HostError("ERR_BAD_REQUEST", `x-fault: ${problems.join("; ")}`);
}

/** Or what is wrong with it. */
function readItem(item: string, targets?: readonly string[]): Fault | { seed: number } | string {
  const [, target = "", value = ""] = /^([a-z][a-z\d-]*)=(.*)$/.exec(item) ?? [];
  if (!target) return "function=action is expected, or seed=number";
  if (target === "seed") {
    return /^\d{1,10}$/.test(value) ? { seed: Number(value) } : "a seed is a whole number";
  }
  if (targets && !targets.includes(target)) {
    return `there is no function ${target}; there are ${targets.join(", ")}`;
  }
  const [, text = value, percent] = /^([^@]*)(?:@(.*))?$/.exec(value) ?? [];
  const action = readAction(text);
  if (typeof action === "string") return action;
  const share = percent === undefined ? 1 : readShare(percent);
  return share === undefined
    ? "a share is a number from 0 to 100 with a percent sign: @50%"
    : { target, action, text, share };
}

function readAction(text: string): Action | string {
  const [, number, unit] = /^delay:(\d{1,6}(?:\.\d{1,3})?)(ms|s)$/.exec(text) ?? [];
  if (number) {
    const delayMs = Number(number) * (unit === "s" ? 1_000 : 1);
    if (delayMs <= longestDelayMs) return { kind: "delay", delayMs };
    return `a delay is ${longestDelayMs / 1_000} s at most`;
  }
  if (/^[45]\d\d$/.test(text)) return { kind: "status", status: Number(text) };
  return "an HTTP status from 400 to 599 is expected, or delay:800ms, or delay:2s";
}

function readShare(text: string): number | undefined {
  const percent = /^\d{1,3}(\.\d{1,3})?%$/.test(text) ? Number(text.slice(0, -1)) : Number.NaN;
  return percent <= 100 ? percent / 100 : undefined;
}

/** As if the function had failed by itself: callers see the code, with the status that belongs to it. */
function failure(status: number, name: string): HostError {
  const codes = Object.keys(errorTable) as ErrorCode[];
  const code = codes.find((one) => errorTable[one].http === status) ?? codeOfHttp(status);
  return new HostError(code, `${name}: a fault was injected: ${status}`, { http: status });
}
