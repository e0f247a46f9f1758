import { createHistogram, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { Counter, Gauge } from "@prometheus-io/client";

type Registers = NonNullable<ConstructorParameters<typeof Gauge>[0]["registers"]>;

/** How often the event loop is looked at: seldom enough for a process that has nothing to do. */
const lookMs = 100;

/**
 * How late the event loop comes to what is due, in ns. Not monitorEventLoopDelay, which wakes a process that has nothing
 * to do fifty times a second at a resolution of 20 ms, and counts these 20 ms as delay.
 */
function watchDelay() {
  const delay = createHistogram();
  let due = performance.now() + lookMs;
  const timer = setInterval(() => {
    const now = performance.now();
    delay.record(Math.max(1, Math.round((now - due) * 1e6)));
    due = now + lookMs;
  }, lookMs).unref();
  return { delay, stop: () => clearInterval(timer) };
}

/**
 * Figures of this process: its event loop since the scrape before, its memory and its CPU time.
 * Several hosts in one process all show the same. Returns what ends the watching.
 */
export function watchProcess(registers: Registers): () => void {
  const { delay, stop } = watchDelay();
  let before = performance.eventLoopUtilization();
  const utilization = () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    // Collected after the delays, which are of the same window.
    delay.reset();
    return utilization;
  };

  const gauge = (name: string, help: string, look: () => number) => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(look()) });
  };
  const delays = {
    min: () => delay.min,
    max: () => delay.max,
    mean: () => delay.mean,
    p50: () => delay.percentile(50),
    p90: () => delay.percentile(90),
    p99: () => delay.percentile(99),
  };
  for (const [which, look] of Object.entries(delays)) {
    const name = `nodejs_eventloop_delay_${which}_seconds`;
    const help = `Delay of the event loop since the scrape before: ${which}`;
    // In a window that is shorter than that, nothing was looked at.
    gauge(name, help, () => (delay.count === 0 ? 0 : look() / 1e9));
  }
  const share = "Share of time in which the event loop worked";
  gauge("nodejs_eventloop_utilization_ratio", share, utilization);
  const { memoryUsage, uptime } = process;
  gauge("process_memory_usage_bytes", "Memory of the process that is resident", memoryUsage.rss);
  gauge("process_uptime_seconds", "Since the process's start", uptime);
  const heap = getHeapStatistics;
  gauge("v8js_memory_heap_used_bytes", "Memory that JavaScript uses", () => heap().used_heap_size);
  const limit = "Memory that JavaScript may use";
  gauge("v8js_memory_heap_limit_bytes", limit, () => heap().heap_size_limit);
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
  return stop;
}
