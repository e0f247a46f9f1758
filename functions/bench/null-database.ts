/**
 * A MongoDB that stores nothing and acknowledges at once, so that a measurement shows the functions alone. Speaks
 * as much of the wire protocol as the driver needs: hello by OP_QUERY and OP_MSG, inserts, and counts of them.
 * Run as a process it prints its port. https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { BSON, type Document } from "mongodb";

export interface NullDatabase extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

const opReply = 1;
const opQuery = 2004;
const opMsg = 2013;
const headerBytes = 16;
/** Of OP_MSG: the client waits for no answer. */
const moreToCome = 2;

export async function startNullDatabase(): Promise<NullDatabase> {
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay());
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    let left: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      let bytes = left.length === 0 ? chunk : Buffer.concat([left, chunk]);
      while (bytes.length >= 4 && bytes.length >= bytes.readInt32LE(0)) {
        const size = bytes.readInt32LE(0);
        answer(socket, bytes.subarray(0, size), counts);
        bytes = bytes.subarray(size);
      }
      left = bytes;
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  return {
    url: `mongodb://127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function answer(socket: Socket, message: Buffer, counts: Map<string, number>): void {
  const request = message.readInt32LE(4);
  const code = message.readInt32LE(12);
  if (code === opQuery) {
    // flags 4, id 8, cursor 8, first 4, number 4: before the documents.
    const head = Buffer.alloc(20);
    head.writeInt32LE(1, 16);
    send(socket, request, opReply, [head, BSON.serialize(hello())]);
  } else if (code === opMsg) {
    const { command, sequence, quiet } = readMessage(message);
    const reply = replyTo(command, sequence, counts);
    if (!quiet) send(socket, request, opMsg, [Buffer.alloc(5), BSON.serialize(reply)]);
  } else socket.destroy();
}

interface Message {
  readonly command: Document;
  /** Documents that came beside the command. */
  readonly sequence: number;
  readonly quiet: boolean;
}

function readMessage(message: Buffer): Message {
  const flags = message.readUInt32LE(headerBytes);
  let command: Document = {};
  let sequence = 0;
  for (let at = headerBytes + 4; at < message.length; ) {
    const size = message.readInt32LE(at + 1);
    const end = at + 1 + size;
    if (message[at] === 0) command = BSON.deserialize(message.subarray(at + 1, end));
    else {
      let document = message.indexOf(0, at + 5) + 1;
      for (; document < end; document += message.readInt32LE(document)) sequence++;
    }
    at = end;
  }
  return { command, sequence, quiet: (flags & moreToCome) !== 0 };
}

function replyTo(command: Document, sequence: number, counts: Map<string, number>): Document {
  const [name = ""] = Object.keys(command);
  const namespace = `${command.$db}.${command[name]}`;
  switch (name) {
    case "hello":
    case "isMaster":
    case "ismaster":
      return hello();
    case "insert": {
      const n = sequence + (command.documents?.length ?? 0);
      counts.set(namespace, (counts.get(namespace) ?? 0) + n);
      return { n, ok: 1 };
    }
    case "count":
      return { n: counts.get(namespace) ?? 0, ok: 1 };
    case "find":
      return { cursor: { id: BSON.Long.ZERO, ns: namespace, firstBatch: [] }, ok: 1 };
    case "buildInfo":
      return { version: "0.0.0", ok: 1 };
    case "ping":
    case "endSessions":
    case "createIndexes":
      return { ok: 1 };
    default:
      return { ok: 0, errmsg: `no such command: ${name}`, code: 59, codeName: "CommandNotFound" };
  }
}

function hello(): Document {
  return {
    helloOk: true,
    isWritablePrimary: true,
    ismaster: true,
    maxBsonObjectSize: 16_777_216,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    minWireVersion: 0,
    maxWireVersion: 21,
    readOnly: false,
    ok: 1,
  };
}

function send(socket: Socket, to: number, code: number, parts: readonly Uint8Array[]): void {
  const head = Buffer.alloc(headerBytes);
  head.writeInt32LE(
    parts.reduce((sum, { length }) => sum + length, headerBytes),
    0,
  );
  head.writeInt32LE(to, 8);
  head.writeInt32LE(code, 12);
  socket.write(Buffer.concat([head, ...parts]));
}

if (process.argv[1] === import.meta.filename) {
  const { port } = await startNullDatabase();
  process.stdout.write(`${port}\n`);
  // Its parent may end without a word.
  process.stdin.resume().once("end", () => process.exit());
}
