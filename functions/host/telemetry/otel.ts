/**
 * Spans by OpenTelemetry's SDK, sent by OTLP over HTTP. This module alone loads the SDK, and it is loaded
 * itself only where there is somebody to send spans to.
 *
 * O1 Nothing here slows or fails a request: spans wait in a bounded queue, and are dropped when it is full.
 * O2 A receiver that is away is logged once, not with every batch.
 */
import {
  type Context,
  createContextKey,
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { reasonOf } from "../base/errors.ts";
import type { TelemetryConfig } from "../base/telemetry-config.ts";
import type { Logger } from "./logger.ts";
import type { IncomingTrace } from "./trace-context.ts";
import type { SpanMaker } from "./tracing.ts";

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
};

/** Whether the caller keeps the trace: B3 can say so without a trace id, and send a trace id without saying so. */
const decisionKey = createContextKey("decision");

export function startSpans(telemetry: TelemetryConfig, log: Logger): SpanMaker {
  if (telemetry.notice) log.warn(telemetry.notice);
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes(telemetry.resource)),
    sampler: samplerOf(telemetry),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: telling(new OTLPTraceExporter({ url: telemetry.tracesUrl }), log),
        ...telemetry.batches,
      }),
    ],
  });
  const tracer = provider.getTracer("functions/host");

  return {
    start({ kind, name }, { trace: incoming, tracestate, links, startedAt }) {
      const span = tracer.startSpan(
        name,
        {
          kind: kinds[kind],
          startTime: startedAt,
          links: links.map((link) => ({ context: { ...link, traceFlags: TraceFlags.NONE } })),
        },
        contextOf(incoming, tracestate),
      );
      const { traceId, spanId, traceFlags } = span.spanContext();
      return {
        trace: { traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 },
        event: (what, more) => void span.addEvent(what, more, performance.now()),
        end(last) {
          // Once, here: no sampler of ours reads them, and some are known only now.
          if (span.isRecording()) {
            span.updateName(last.name);
            span.setAttributes(last.attributes);
            if (last.failure !== undefined) {
              const message = last.failure && { message: last.failure };
              span.setStatus({ code: SpanStatusCode.ERROR, ...message });
            }
          }
          span.end(last.endedAt);
        },
      };
    },
    close: () => provider.shutdown().catch(() => {}),
  };
}

/** What the SDK takes for a span's parent. */
function contextOf({ parent, sampled }: IncomingTrace, tracestate: string | undefined): Context {
  const context = ROOT_CONTEXT.setValue(decisionKey, sampled);
  if (!parent) return context;
  return trace.setSpanContext(context, {
    ...parent,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(tracestate && { traceState: createTraceState(tracestate) }),
  });
}

/** As OTEL_TRACES_SAMPLER names it; those that heed their parent take a decision without a parent as well. */
function samplerOf({ sampler, samplerRatio }: TelemetryConfig): Sampler {
  const on = new AlwaysOnSampler();
  const off = new AlwaysOffSampler();
  const name = sampler.replace("parentbased_", "");
  const roots: Record<string, Sampler> = { always_on: on, always_off: off };
  const root = roots[name] ?? new TraceIdRatioBasedSampler(samplerRatio);
  if (name === sampler) return root;
  return {
    shouldSample(context, ...about) {
      const decision = context.getValue(decisionKey) as boolean | undefined;
      const chosen = decision === undefined ? root : decision ? on : off;
      return chosen.shouldSample(context, ...about);
    },
    toString: () => sampler,
  };
}

/** The exporter, with a line in the log when spans cannot be sent any more, and one when they can again. */
function telling(exporter: SpanExporter, log: Logger): SpanExporter {
  let failing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        // 0 is the SDK's code for success.
        const failed = result.code !== 0;
        if (failed && !failing)
          log.warn({ reason: reasonOf(result.error) }, "spans cannot be sent");
        if (!failed && failing) log.info("spans are sent again");
        failing = failed;
        done(result);
      });
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}
