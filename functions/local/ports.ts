import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { readdir, readFile, readlink } from "node:fs/promises";
import { connect, createServer } from "node:net";

const host = "127.0.0.1";

/**
 * Below the ports that systems give to outgoing connections: one of those that is free now may be taken by any
 * client a moment later, and a server that is started on it then fails. Below MongoDB's 27017 as well, with the dozen
 * ports that a graph takes after its first.
 */
const freeRange = { from: 20_000, to: 27_000 };

/** Those that this process was given: a port stays free until its server listens. */
const given = new Set<number>();

/** A port that is free at this moment, and another with each call. Other processes may take it, so use it at once. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(freeRange.from, freeRange.to);
    if (given.has(port)) continue;
    // Before it is looked at, which takes a moment: another call may be under way.
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port on ${host} between ${freeRange.from} and ${freeRange.to}`);
}

/** Whether a server of ours could listen on this port of 127.0.0.1. */
export async function isFree(port: number): Promise<boolean> {
  // Some systems let 127.0.0.1 be bound beside another's 0.0.0.0: there only a connection shows it.
  return (await listenOn(port)) !== undefined && !(await accepts(port));
}

/** Whether somebody accepts connections on this port of 127.0.0.1. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

/** The process that listens on a port, as in "node (pid 1234)"; undefined when there is none or it cannot be known. */
export async function holderOf(port: number): Promise<string | undefined> {
  try {
    return process.platform === "linux" ? await holderByProc(port) : await holderByLsof(port);
  } catch {
    return undefined;
  }
}

/** Listens for a moment; the port that was had, undefined when it is taken or not allowed. */
function listenOn(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    // A client that waits for a server to come back may get in: it would wait here for ever, and the end of this with it.
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    server.listen(port, host, () => {
      const address = server.address();
      const got = address !== null && typeof address === "object" ? address.port : undefined;
      server.close(() => resolve(got));
    });
  });
}

async function holderByProc(port: number): Promise<string | undefined> {
  const sockets = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const text = await readFile(table, "utf8").catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      // sl, local_address, rem_address, st (0A is LISTEN), four more, then uid, timeout, inode: proc(5)
      const column = line.trim().split(/\s+/);
      const localPort = Number.parseInt(column[1]?.split(":")[1] ?? "", 16);
      if (column[3] === "0A" && localPort === port) sockets.add(`socket:[${column[9]}]`);
    }
  }
  if (sockets.size === 0) return undefined;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // Another user's process hides its descriptors: then the holder stays unknown.
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      if (!sockets.has(target)) continue;
      return `${(await readFile(`/proc/${pid}/comm`, "utf8")).trim()} (pid ${pid})`;
    }
  }
  return undefined;
}

function holderByLsof(port: number): Promise<string | undefined> {
  const args = ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"];
  return new Promise((resolve) => {
    execFile("lsof", args, { timeout: 5_000 }, (_error, stdout) => {
      const pid = /^p(\d+)$/m.exec(stdout)?.[1];
      const command = /^c(.+)$/m.exec(stdout)?.[1];
      resolve(pid === undefined ? undefined : `${command ?? "a process"} (pid ${pid})`);
    });
  });
}
