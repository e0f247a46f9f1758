/**
 * One process of the floor: calls the ports in CALLEES side by side by keep-alive connections, and answers fixed
 * JSON. What Node takes for the tree of processes alone.
 */
import { Agent, createServer, get } from "node:http";

const callees = (process.env.CALLEES ?? "").split(",").filter(Boolean).map(Number);
const agent = new Agent({ keepAlive: true });
const body = JSON.stringify({
  greeting: [
    {
      id: "00000000-0000-4000-8000-000000000000",
      service: "Service-X",
      message: "Hello, from Service-X!",
      created: "2026-01-01T00:00:00.000Z",
    },
  ],
});
const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };

createServer((_request, response) => {
  let waiting = callees.length;
  const answer = (status) => response.writeHead(status, headers).end(body);
  if (waiting === 0) return answer(200);
  for (const port of callees) {
    const failed = () => response.headersSent || answer(503);
    get({ host: "127.0.0.1", port, agent }, (incoming) => {
      incoming.resume().once("end", () => --waiting === 0 && answer(200));
    }).once("error", failed);
  }
}).listen(Number(process.env.PORT), "127.0.0.1");
