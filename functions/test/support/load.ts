/** Asks `requests` times, `concurrency` at a time; the answers in the order of their coming. */
export async function load<Answer>(
  ask: () => Promise<Answer>,
  { requests, concurrency }: { requests: number; concurrency: number },
): Promise<Answer[]> {
  const answers: Answer[] = [];
  let started = 0;
  const worker = async () => {
    while (started++ < requests) answers.push(await ask());
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return answers;
}
