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

/** Doubles up to the cap; at least half of it is waited, so that many watchers neither meet nor hammer. */
export function reconnectDelay({ failures, baseMs, capMs, retryAfterMs, random }: ReconnectDelayOptions): number {
  const ceiling = failures === 0 ? 0 : Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 30));
  const delay = ceiling / 2 + (random * ceiling) / 2;
  return Math.max(delay, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}
