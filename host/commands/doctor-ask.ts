/** One question to a running host, with a deadline: a host that hangs is an answer too. */

import { messageOf } from '../../ipc/errors.ts';

export type DoctorAnswer<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** Nobody takes a connection there. */
  | { readonly kind: 'unreachable'; readonly cause: string }
  /** Somebody takes connections and does not answer. */
  | { readonly kind: 'stalled'; readonly ms: number }
  /** Somebody answers who is not khook, or is an older one. */
  | { readonly kind: 'stranger'; readonly cause: string };

const ANSWER_MS = 10_000;

/** Never rejects. */
export async function askHost<T>(url: string, path: string): Promise<DoctorAnswer<T>> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(ANSWER_MS) });
    text = await response.text();
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') return { kind: 'stalled', ms: ANSWER_MS };
    return { kind: 'unreachable', cause: messageOf((error as { cause?: unknown }).cause ?? error) };
  }
  try {
    if (response.ok) return { kind: 'ok', value: JSON.parse(text) as T };
  } catch {
    // As below: khook answers with JSON.
  }
  return { kind: 'stranger', cause: `it answered ${path} with HTTP ${response.status}: ${text.slice(0, 100)}` };
}
