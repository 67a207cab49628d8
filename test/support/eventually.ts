/** Waits for a condition instead of sleeping: returns as soon as `check` returns something, fails with its last error at the deadline. */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 30_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown = new Error('the condition stayed false');
    try {
      const value = await check();
      if (value !== false && value !== null && value !== undefined) return value as NonNullable<T>;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > deadline) throw failure;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
