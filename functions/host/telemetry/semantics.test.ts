import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { grpcStatus, statusNames } from "#host/telemetry/semantics";

test("gRPC's status codes have the names that grpc-js gives them", () => {
  const numbers = Object.values(status).filter((value) => typeof value === "number");
  assert.deepEqual(
    numbers.sort((a, b) => a - b).map((code) => status[code]),
    [...statusNames],
  );
  assert.deepEqual(grpcStatus(99), { "rpc.status_code": "99" });
});
