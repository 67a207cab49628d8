/** A time to come, as people read it. Pure. */

export function untilWords(until: number, now: number): string {
  const at = `${new Date(until).toISOString().slice(0, 19)}Z`;
  const left = until - now;
  if (left <= 0) return `${at}, which is over`;
  return `${at}, in ${left < 90_000 ? `${Math.ceil(left / 1_000)} s` : `${Math.ceil(left / 60_000)} min`}`;
}
