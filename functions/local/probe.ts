import { get } from "node:http";

export interface Answer {
  status: number;
  body: string;
}

/** Asks a server on this machine; undefined when there is no answer in time. */
export function ask(port: number, path: string, timeoutMs = 2_000): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: "127.0.0.1", port, path, agent: false, timeout: timeoutMs });
    request.once("response", async (response) => {
      try {
        const body = Buffer.concat(await response.toArray()).toString();
        resolve({ status: response.statusCode ?? 0, body });
      } catch {
        resolve(undefined);
      }
    });
    request.once("timeout", () => request.destroy());
    request.once("close", () => resolve(undefined));
    request.on("error", () => {}); // "close" follows
  });
}

/** Why the function on this port is not ready, in its own words; undefined when it is. */
export async function whyNotReady(port: number): Promise<string | undefined> {
  const answer = await ask(port, "/readyz");
  if (answer === undefined) return "does not answer";
  if (answer.status === 200) return undefined;
  try {
    const { status, checks }: { status: string; checks: Record<string, string> } = JSON.parse(
      answer.body,
    );
    const failed = Object.entries(checks).filter(([, check]) => check !== "ok");
    return failed.map(([name, check]) => `${name}: ${check}`).join(", ") || status;
  } catch {
    return `answers ${answer.status} to /readyz`;
  }
}
