import { handler } from "#host";

/** A function with routes of every sort, which names itself orders. */
export const shop = handler({
  name: "orders",
  routes: {
    "POST /api/orders": {
      summary: "Takes an order",
      body: { type: "object", required: ["item"], properties: { item: { type: "string" } } },
      handle: async ({ body, headers }) => ({
        status: 201,
        headers: { location: "/api/orders/7", "x-kept": "yes", "set-cookie": "no" },
        body: { item: body.item, language: headers["accept-language"], cookie: headers.cookie },
      }),
    },
    "GET /api/orders/{id}": {
      handle: async ({ parameters, query }) => ({
        body: { id: parameters.id, q: query.get("q") },
      }),
    },
    "GET /status": {
      handle: async () => ({
        body: Buffer.from("fine"),
        headers: { "content-type": "text/plain" },
      }),
    },
    "DELETE /api/orders/{id}": { handle: async () => undefined },
  },
});
