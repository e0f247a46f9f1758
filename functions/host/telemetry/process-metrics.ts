import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { Counter, Gauge } from "@prometheus-io/client";

type Registers = NonNullable<ConstructorParameters<typeof Gauge>[0]["registers"]>;

/** How often the event loop is looked at: seldom enough for a process that has nothing to do. */
const resolutionMs = 20;

/**
 * Figures of this process: its event loop since the scrape before, its memory and its CPU time.
 * Several hosts in one process all show the same. Returns what ends the watching.
 */
export function watchProcess(registers: Registers): () => void {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();

  const gauge = (name: string, help: string, look: () => number) => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(look());
      },
    });
  };
  const seconds = (nanoseconds: number) => nanoseconds / 1e9;
  const delays = {
    min: () => delay.min,
    max: () => delay.max,
    mean: () => delay.mean,
    p50: () => delay.percentile(50),
    p90: () => delay.percentile(90),
    p99: () => delay.percentile(99),
  };
  for (const [which, look] of Object.entries(delays)) {
    const help = `Delay of the event loop since the scrape before: ${which}`;
    // Nothing was seen in a window that is shorter than the resolution.
    gauge(`nodejs_eventloop_delay_${which}_seconds`, help, () =>
      delay.count === 0 ? 0 : seconds(look()),
    );
  }
  let before = performance.eventLoopUtilization();
  // Collected after the delays, which are of the same window.
  gauge(
    "nodejs_eventloop_utilization_ratio",
    "Share of time in which the event loop worked",
    () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      delay.reset();
      return utilization;
    },
  );
  gauge("process_memory_usage_bytes", "Memory of the process that is resident", () =>
    process.memoryUsage.rss(),
  );
  gauge(
    "v8js_memory_heap_used_bytes",
    "Memory that JavaScript uses",
    () => getHeapStatistics().used_heap_size,
  );
  gauge(
    "v8js_memory_heap_limit_bytes",
    "Memory that JavaScript may use",
    () => getHeapStatistics().heap_size_limit,
  );
  gauge("process_uptime_seconds", "Since the process's start", () => process.uptime());
  new Counter({
    name: "process_cpu_time_seconds_total",
    help: "CPU time of the process",
    labelNames: ["cpu_mode"],
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc({ cpu_mode: "user" }, user / 1e6);
      this.inc({ cpu_mode: "system" }, system / 1e6);
    },
  });
  return () => void delay.disable();
}
