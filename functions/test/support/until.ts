/** Waits until the condition holds, looking often; says what was waited for when it never does. */
export async function until(
  what: string,
  condition: () => unknown | Promise<unknown>,
  limitMs = 10_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
