import { saveTo, subscriber } from "#host";

/** The far side of the queue: service-d's greetings reach it as CloudEvents. */
export default subscriber({
  name: "service-f",
  greeting: "Hola, from Service-F!",
  from: "service-d",
  effects: [saveTo("service-f.messages")],
});
