// Runs in a thread of its own, once.
/** Turns one profile of V8 into one of pprof, gzipped as its readers expect it. */

import { parentPort, workerData } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import type { ProfileKind } from '../sandbox/profile.ts';
import { cpuPprof, heapPprof } from './pprof.ts';

export interface ConversionData {
  readonly kind: ProfileKind;
  /** V8's JSON. */
  readonly text: string;
  /** Wall-clock milliseconds. */
  readonly startedAt: number;
  readonly durationMs: number;
}

const { kind, text, startedAt, durationMs } = workerData as ConversionData;
const profile = JSON.parse(text);
const bytes = kind === 'cpu' ? cpuPprof(profile, startedAt) : heapPprof(profile, startedAt, durationMs);
parentPort?.postMessage(gzipSync(bytes));
