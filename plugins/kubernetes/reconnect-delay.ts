/** How long to wait before the next attempt. Pure. */

export interface ReconnectDelayOptions {
  /** Attempts in a row that came to nothing. */
  readonly failures: number;
  readonly baseMs: number;
  readonly capMs: number;
  /** What the server asked for, or null. */
  readonly retryAfterMs: number | null;
  /** In [0, 1). */
  readonly random: number;
}

/** The longest wait that a server may ask for. */
export const MAX_RETRY_AFTER_MS = 60_000;

/**
 * Doubles up to the cap; at least half of it is waited, so that many watchers neither meet nor hammer. A watch that ended in good order
 * is resumed within the base: an API server that stops ends all of them at once.
 */
export function reconnectDelay({ failures, baseMs, capMs, retryAfterMs, random }: ReconnectDelayOptions): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30));
  const delay = failures === 0 ? random * baseMs : ceiling / 2 + (random * ceiling) / 2;
  return Math.max(delay, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}
