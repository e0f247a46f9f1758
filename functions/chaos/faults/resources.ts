/** What machines run out of, and clocks that are set. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import amqp from "amqplib";
import { findRabbitMqServer } from "../../local/services/rabbitmq-server.ts";
import { type FaultOf, on } from "../fault.ts";
import type { Lab } from "../lab.ts";

type GraphFault = Omit<FaultOf<"graph">, "on">;

const run = promisify(execFile);

function rabbitMqCtl(): string | undefined {
  const server = findRabbitMqServer(process.env);
  return server && join(dirname(server), "rabbitmqctl");
}

/** With the environment of the broker itself, which says where its node and its cookie are. */
async function controlBroker(lab: Lab, ...args: string[]): Promise<void> {
  const text = readFileSync(`/proc/${lab.broker.pid}/environ`, "utf8");
  const env = Object.fromEntries(text.split("\0").map((line) => line.split(/=(.*)/s).slice(0, 2)));
  await run(rabbitMqCtl() ?? "", args, { env });
}

const memoryAlarm: GraphFault = {
  name: "broker blocks publishers (memory alarm)",
  skip: ({ broker }) =>
    rabbitMqCtl() && process.platform === "linux" && broker.pid
      ? undefined
      : "it needs Linux and a rabbitmq-server of this machine",
  async run(lab) {
    await controlBroker(lab, "set_vm_memory_high_watermark", "absolute", "1MB");
    await wait(8_000);
    await controlBroker(lab, "set_vm_memory_high_watermark", "0.4");
    await untilUnblocked(lab.broker.url);
  },
};

/** The broker looks at its memory every few seconds: the alarm is over when it confirms a message again. */
async function untilUnblocked(url: string): Promise<void> {
  const connection = await amqp.connect(url);
  try {
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue("", { exclusive: true });
    channel.sendToQueue(queue, Buffer.from("unblocked"));
    await channel.waitForConfirms();
  } finally {
    await connection.close();
  }
}

/** What could not write does not trust itself any more, and has to be started again: WiredTiger as RabbitMQ's quorum queues. */
function fullDisk(of: "broker" | "database"): GraphFault {
  return {
    name: `full disk: ${of} (then started again)`,
    skip: ({ disks }) => (disks ? undefined : "it needs Linux and root, to mount a small disk"),
    async run({ disks, [of]: service }) {
      await disks?.fill(of);
      await wait(6_000);
      disks?.free(of);
      await service.kill();
      await service.start();
    },
  };
}

const hourMs = 3_600_000;

function clock(name: string, moves: Readonly<Record<string, number>>): GraphFault {
  return {
    name: `clock: ${name}`,
    async run(lab) {
      for (const [one, ms] of Object.entries(moves)) await lab.moveClock(one, ms);
      await wait(4_000);
      for (const one of Object.keys(moves)) await lab.moveClock(one, 0);
      await wait(300);
    },
  };
}

export const resourceFaults = on("graph", [
  memoryAlarm,
  fullDisk("broker"),
  fullDisk("database"),
  clock("C and D an hour ahead", { "service-c": hourMs, "service-d": hourMs }),
  clock("A and F and bridge an hour behind", {
    "service-a": -hourMs,
    "service-f": -hourMs,
    bridge: -hourMs,
  }),
]);
