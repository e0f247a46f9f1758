import type { Operation } from "./operation.ts";

/** What becomes one histogram of durations, from operations of one sort. */
export interface Family {
  readonly metric: string;
  readonly help: string;
  readonly kind: Operation["kind"];
  /** An operation of the kind belongs here when it has this attribute. */
  readonly by: string;
  /** Attributes that become labels, besides `by` and `error.type`. */
  readonly labels: readonly string[];
  readonly buckets: readonly number[];
}

/** As the conventions advise, for requests and for databases. */
const requestBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const databaseBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

const callee = ["server.service.name", "server.address", "server.port"];
const queue = ["messaging.destination.name", "messaging.operation.type"];

/** By the conventions of OpenTelemetry for HTTP, RPC, databases and messaging. */
export const families: readonly Family[] = [
  {
    metric: "http_server_request_duration_seconds",
    help: "HTTP requests that the function served",
    kind: "server",
    by: "http.request.method",
    labels: ["http.route", "http.response.status_code", "url.scheme"],
    buckets: requestBuckets,
  },
  {
    metric: "rpc_server_call_duration_seconds",
    help: "gRPC calls that the function served",
    kind: "server",
    by: "rpc.system.name",
    labels: ["rpc.method", "rpc.status_code"],
    buckets: requestBuckets,
  },
  {
    metric: "http_client_request_duration_seconds",
    help: "HTTP requests to other functions",
    kind: "client",
    by: "http.request.method",
    labels: [...callee, "http.response.status_code"],
    buckets: requestBuckets,
  },
  {
    metric: "rpc_client_call_duration_seconds",
    help: "gRPC calls to other functions",
    kind: "client",
    by: "rpc.system.name",
    labels: [...callee, "rpc.method", "rpc.status_code"],
    buckets: requestBuckets,
  },
  {
    metric: "db_client_operation_duration_seconds",
    help: "Operations of the database, as one caller waits for them",
    kind: "client",
    by: "db.system.name",
    labels: ["db.namespace", "db.collection.name", "db.operation.name"],
    buckets: databaseBuckets,
  },
  {
    metric: "messaging_client_operation_duration_seconds",
    help: "Messages sent, until the broker's confirm",
    kind: "producer",
    by: "messaging.system.name",
    labels: queue,
    buckets: requestBuckets,
  },
  {
    metric: "messaging_process_duration_seconds",
    help: "Messages processed, each until it was settled",
    kind: "consumer",
    by: "messaging.system.name",
    labels: queue,
    buckets: requestBuckets,
  },
];
