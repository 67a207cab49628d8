/** What the bus says. */

import type { DropReason } from '../../ipc/event.ts';

export interface BusEvents {
  /** A frame was taken in; `types` maps event type → how many. */
  'frame:received': { readonly plugin: string; readonly types: ReadonlyMap<string, number> };
  /** A frame waits for the rate limit. */
  'frame:throttled': { readonly plugin: string; readonly events: number; readonly waitMs: number };
  'frame:dropped': { readonly plugin: string; readonly events: number; readonly reason: DropReason };
  /** From its arrival to its ack. */
  'frame:done': { readonly plugin: string; readonly events: number; readonly durationMs: number };
  /** The matcher could not judge the frame even on a second try: its events are invalid. */
  'frame:failed': { readonly plugin: string; readonly events: number; readonly error: string };
}
