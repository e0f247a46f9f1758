// k6: asks for the seven greetings at a constant rate, and counts an answer that is not whole.
import { check } from "k6";
import http from "k6/http";

const order = "D,G,H,E,B,C,A";
const { RATE, DURATION, INGRESS, NAMESPACE } = __ENV;

export const options = {
  scenarios: {
    greetings: {
      executor: "constant-arrival-rate",
      rate: Number(RATE),
      timeUnit: "1s",
      duration: DURATION,
      preAllocatedVUs: 10,
      maxVUs: 100,
    },
  },
  thresholds: { checks: ["rate>0.99"] },
};

export default function ask() {
  const headers = { Host: `api.${NAMESPACE}.example-api.com` };
  const answer = http.get(`${INGRESS}/api/greeting`, { headers, timeout: "60s" });
  check(answer, {
    "the seven greet in order": ({ status, body }) =>
      status === 200 &&
      JSON.parse(body)
        .greeting.map(({ service }) => service.at(-1))
        .join() === order,
  });
}
