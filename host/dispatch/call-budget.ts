/**
 * How often a Hook may call agents: `callsPerHour`. In an hour from its first call so many firings go out by themselves; the others
 * are held, and when the hour is over they go out together, as one digest. Pure; time is monotonic milliseconds.
 */

export const BUDGET_WINDOW_MS = 3_600_000;
/** Held firings stand in the outbox, whose room is for all Hooks: when so many wait, their digest goes out at once. */
export const MAX_HELD = 1_000;

export interface BudgetWindow {
  readonly startedAt: number;
  readonly calls: number;
}

export type CallDecision =
  | { readonly kind: 'call'; readonly window: BudgetWindow }
  /** `forMs`: until the hour is over. */
  | { readonly kind: 'hold'; readonly forMs: number };

/** `held`: firings of the Hook that wait already; nobody goes out before them. */
export function decideCall(
  window: BudgetWindow | null,
  { now, callsPerHour, held }: { readonly now: number; readonly callsPerHour: number; readonly held: number },
): CallDecision {
  const leftMs = window === null ? 0 : Math.max(0, window.startedAt + BUDGET_WINDOW_MS - now);
  if (held > 0) return { kind: 'hold', forMs: leftMs };
  if (window === null || leftMs === 0) return { kind: 'call', window: { startedAt: now, calls: 1 } };
  if (window.calls < callsPerHour) return { kind: 'call', window: { ...window, calls: window.calls + 1 } };
  return { kind: 'hold', forMs: leftMs };
}

/** After a digest went out: the first call of a new hour, or one more of this one when it could not wait for its end. */
export function afterDigest(window: BudgetWindow | null, now: number, digests: number): BudgetWindow {
  if (window === null || now >= window.startedAt + BUDGET_WINDOW_MS) return { startedAt: now, calls: digests };
  return { ...window, calls: window.calls + digests };
}
