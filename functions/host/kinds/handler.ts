/** A function with work of one's own. The other kinds are made of it too, and add parts that only the house has. */

import type { RouteAnswer } from "../base/answer.ts";
import { HostError } from "../base/errors.ts";
import type { Call } from "../call/call.ts";
import type { Callee } from "../call/callee.ts";
import type { Runtime } from "../call/runtime.ts";
import { noEvent } from "../events/event.ts";
import type { EventJson } from "../events/event-rules.ts";
import type { OpenService } from "../grpc/service.ts";
import type { Route, RouteRequest } from "../http/route.ts";
import { CallContext, type Given } from "./context.ts";
import { define } from "./define.ts";
import type {
  Definition,
  Effect,
  OpenEffect,
  OpenFunction,
  RouteDeclaration,
} from "./definition.ts";
import { type Greetings, greetingPaths, greetingRoutes } from "./greetings.ts";
import type { Effects, HandlerOptions, Schema } from "./handler-options.ts";
import { problemsOf, readRoutes } from "./problems.ts";
import { createValidator } from "./validate.ts";

/** What the house's own kinds have besides. */
export interface HouseParts {
  /** With it, `greetings` is answered at GET / and GET /api/greeting too. */
  readonly greeting?: string;
  /** Answers the greetings' gRPC method. */
  greetings?(call: Call, inside: Inside): ReturnType<Greetings>;
  /** Gets every event, whatever its type; `key` is its source and id. */
  onEvent?(event: EventJson, key: string, call: Call, inside: Inside): Promise<void>;
  readonly routes?: readonly HouseRoute[];
  readonly faultTargets?: readonly string[];
}

export interface HouseRoute extends RouteDeclaration {
  handle(request: RouteRequest, inside: Inside): Promise<RouteAnswer | undefined>;
}

/** The open function, seen from within. */
export interface Inside {
  readonly runtime: Runtime;
  /** In declared order. */
  readonly effects: readonly OpenEffect<unknown>[];
}

interface Options extends Omit<AnyOptions, "name"> {
  readonly kind: Definition["kind"];
  readonly name: string;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever an author declared, checked where it was declared
type Loose = any;
type AnyOptions = HandlerOptions<
  Effects,
  readonly Callee[],
  Loose,
  Record<string, Loose>,
  readonly Loose[]
>;

/**
 * A function with work of one's own: HTTP routes, events, gRPC services. What is wrong with the declaration
 * is in the definition's `problems`, and stops every start with one message.
 */
export function handler<
  const E extends Effects = Record<never, never>,
  const C extends readonly Callee[] = [],
  S = undefined,
  R extends Record<string, unknown> = Record<never, never>,
  G extends readonly unknown[] = [],
>(options: HandlerOptions<E, C, S, R, G>): Definition {
  return handlerOf({ kind: "handler", ...(options as unknown as AnyOptions) });
}

export function handlerOf(options: Options, house: HouseParts = {}): Definition {
  const { kind, name, calls = [], effects = {}, from, on, grpc = [], deploy = {} } = options;
  const routes = readRoutes(options.routes ?? {});
  const takesEvents = on !== undefined || house.onEvent !== undefined;
  const declared: RouteDeclaration[] = [
    ...(house.greeting === undefined ? [] : greetingPaths),
    ...(house.routes ?? []).map(declarationOf),
    ...(takesEvents ? [eventPath] : []),
    ...routes.map(declarationOf),
  ];
  return define({
    kind,
    name,
    ...(house.greeting !== undefined && { greeting: house.greeting }),
    calls,
    effects: Object.values(effects).map(({ system, destination }) => ({ system, destination })),
    ...(from !== undefined && { from }),
    routes: declared,
    services: grpc.map(({ service }) => service),
    deploy,
    problems: problemsOf({ options, routes: declared, takesEvents }),
    ...(house.faultTargets && { faultTargets: house.faultTargets }),
    open: (runtime) => open({ options, house, routes, takesEvents }, runtime),
  });
}

/** A declaration as it was read, once, where it was made. */
interface Read {
  readonly options: Options;
  readonly house: HouseParts;
  readonly routes: ReturnType<typeof readRoutes>;
  readonly takesEvents: boolean;
}

const eventPath: RouteDeclaration = {
  method: "POST",
  path: "/",
  summary: "Takes a CloudEvent, in binary or structured mode",
};

function declarationOf({ method, path, summary, body }: RouteDeclaration): RouteDeclaration {
  return { method, path, ...(summary && { summary }), ...(body && { body }) };
}

async function open(
  { options, house, routes, takesEvents }: Read,
  runtime: Runtime,
): Promise<OpenFunction> {
  const { name, calls = [], on = {}, grpc = [], setup } = options;
  const opened = new Map<string, OpenEffect<unknown>>();
  for (const [key, effect] of Object.entries(options.effects ?? {})) {
    opened.set(key, await (effect as Effect<unknown>).open(runtime));
  }
  const inside: Inside = { runtime, effects: [...opened.values()] };
  const state: unknown = await setup?.(runtime);
  const given: Given = { name, calls, state, runtime, opened };
  const contextOf = (call: Call) => new CallContext(call, given);

  const takeEvent = async ({ event, call }: RouteRequest) => {
    if (!event) throw noEvent();
    const read = await event.read();
    if (house.onEvent) await house.onEvent(read, event.key, call, inside);
    else await handlerFor(read)(read, contextOf(call));
    runtime.metrics?.delivered(read.time);
    return undefined;
  };
  const handlerFor = ({ type }: EventJson) => {
    const found = Object.hasOwn(on, type) ? on[type] : on["*"];
    if (found) return found;
    const detail = `no handler for the event type ${type}; there is ${Object.keys(on).join(", ")}`;
    throw new HostError("ERR_BAD_REQUEST", `${name}: ${detail}`);
  };

  const own = await Promise.all(
    routes.map(async ({ method, path, body, handle }): Promise<Route> => {
      const validate = body && (await createValidator(body as Schema, `${method} ${path}`));
      return {
        method,
        path,
        async handle({ call, body, parameters, query, headers }) {
          const valid = validate ? await validate(body, headers) : body.bytes;
          const context = contextOf(call);
          const asked = { parameters, query, headers, body: valid };
          return handle(Object.assign(context, asked));
        },
      };
    }),
  );
  const greet = house.greetings;
  const greetings = greet && ((call: Call) => greet(call, inside));
  return {
    ...(greetings && { greetings }),
    services: grpc.map(({ service, methods }): OpenService => {
      const entries = Object.entries(methods as Record<string, (...args: unknown[]) => unknown>);
      const bound = entries.map(([key, method]) => [
        key,
        (request: unknown, call: Call) => method(request, contextOf(call)),
      ]);
      return { definition: service, methods: Object.fromEntries(bound) };
    }),
    routes: [
      ...(greetings && house.greeting !== undefined ? greetingRoutes(greetings) : []),
      ...(house.routes ?? []).map((route) => ({
        ...route,
        handle: (request: RouteRequest) => route.handle(request, inside),
      })),
      ...(takesEvents ? [{ ...eventPath, handle: takeEvent }] : []),
      ...own,
    ],
    resources: inside.effects,
  };
}
