/** The schema of CloudEvents' SDK, which is loaded only where events are taken. */
import { CloudEvent, ValidationError } from "cloudevents";

/** What is wrong with an event's attributes. The SDK's own object is not used: it changes the time's spelling. */
export function problemIn(
  attributes: Record<string, unknown>,
): { message: string; cause: unknown } | undefined {
  try {
    new CloudEvent(attributes).validate();
    return undefined;
  } catch (thrown) {
    return { message: describe(thrown), cause: thrown };
  }
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof ValidationError)) return (thrown as Error).message;
  const errors = (thrown.errors ?? []) as (string | { instancePath?: string; message?: string })[];
  const details = errors.map((error) =>
    typeof error === "string" ? error : `${error.instancePath ?? ""} ${error.message}`.trim(),
  );
  return details.length > 0 ? details.join(", ") : thrown.message;
}
