/** A client of server-sent events, for tests. */
export interface Events extends AsyncDisposable {
  /** The data of every event of this name until now. */
  of(event: string): string[];
  /** How the stream ended: in order, or cut off. */
  readonly ended: Promise<"end" | "cut">;
}

/** Settles when the stream is answered; disposal leaves it. */
export async function followEvents(url: string): Promise<Events> {
  const leaving = new AbortController();
  const response = await fetch(url, { signal: leaving.signal });
  const type = response.headers.get("content-type");
  if (!response.body || type !== "text/event-stream") {
    throw new Error(`${url}: ${response.status}, ${type}`);
  }
  let text = "";
  const read = async (body: ReadableStream<Uint8Array>) => {
    try {
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) text += chunk;
      return "end" as const;
    } catch {
      return "cut" as const;
    }
  };
  const ended = read(response.body);
  return {
    of(event) {
      const blocks = text.split("\n\n").slice(0, -1);
      const start = `event: ${event}\ndata: `;
      return blocks.filter((one) => one.startsWith(start)).map((one) => one.slice(start.length));
    },
    ended,
    async [Symbol.asyncDispose]() {
      leaving.abort();
      await ended;
    },
  };
}
