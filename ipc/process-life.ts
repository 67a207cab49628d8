/** What a host and a child process say to each other beside control, pulse and events: the birth, the readings, the last words. */

import type { Birth } from './control.ts';
import type { WireError } from './errors.ts';
import { isUses, type Uses } from './uses.ts';

/** File descriptors of the child. A flood on the events pipe cannot delay what goes over the other one. */
export const CONTROL_FD = 3;
export const EVENTS_FD = 4;

/** Channels of the control pipe. */
export const CONTROL_CHANNEL = 0;
export const PULSE_CHANNEL = 1;
export const LIFE_CHANNEL = 2;
export const CONTROL_CHANNELS = 3;

/** Host → child. */
export type ToChild =
  /** The first message. What is secret in it must not stand on a command line or in the environment the process starts with. */
  | { readonly kind: 'birth'; readonly birth: Birth; readonly environment: Readonly<Record<string, string>> }
  /** Asks for readings. */
  | { readonly kind: 'read' }
  /** Asks for a profile over so many milliseconds. One at a time. */
  | { readonly kind: 'profile'; readonly what: 'cpu' | 'heap'; readonly ms: number };

/** What a child says of itself. The host believes none of it where it can look for itself. */
export interface Readings {
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly cpuSeconds: number;
  /** How long its event loop was busy since its birth. */
  readonly loopActiveMs: number;
  readonly uses: Uses;
}

/** Child → host. */
export type FromChild =
  /** The runtime stands and nothing of the plugin has been loaded: what it weighs now is not the plugin's. */
  | { readonly kind: 'born'; readonly readings: Readings }
  | { readonly kind: 'readings'; readonly readings: Readings }
  /** The profile that was asked for: V8's JSON, gzipped, as base64; or why there is none. */
  | { readonly kind: 'profile'; readonly gzipped: string; readonly fault: string }
  /** An uncaught error; the process ends. */
  | { readonly kind: 'failed'; readonly error: WireError };

/** The child's numbers, when they are numbers. */
export function isReadings(value: unknown): value is Readings {
  if (typeof value !== 'object' || value === null) return false;
  const { heapBytes, externalBytes, cpuSeconds, loopActiveMs, uses } = value as Readings;
  const numbers = [heapBytes, externalBytes, cpuSeconds, loopActiveMs];
  return isUses(uses) && numbers.every((number) => Number.isFinite(number) && number >= 0);
}
