/** What the host and a pool thread say to each other, and the cell they share. Plain data. */

import type { Cause, Firing } from './verdict.ts';

/** The only word of the shared cell: the position of the event that is being judged, or one of the states below. */
export const POSITION_WORD = 0;
export const NOT_STARTED = -1;
export const LOADING_RULES = -2;
export const DONE = -3;

/** A frame, or what is left of one. */
export interface JudgeTask {
  readonly kind: 'judge';
  readonly rulesVersion: number;
  /** JSON of `Rules`; empty when the thread is thought to have them. */
  readonly rules: string;
  readonly cell: Int32Array;
  readonly plugin: string;
  readonly types: readonly string[];
  readonly typeIndex: string;
  /** One unit per type: the position in VERDICTS that the host has settled it with, or FOR_THE_POOL. */
  readonly settled: string;
  readonly lines: string;
  readonly count: number;
  /** Judge from here … */
  readonly from: number;
  /** … up to here. */
  readonly to: number;
  /** Positions that are set aside: they are not looked at. */
  readonly skip: readonly number[];
  /** Unix milliseconds: the time of events that carry none. */
  readonly receivedAt: number;
  /** The thread returns what it has after this long, so that others get their turn. */
  readonly sliceMs: number;
}

/** In `settled`: this type is mapped, its events are the pool's to judge. */
export const FOR_THE_POOL = 0x7f;

export interface DescribeTask {
  readonly kind: 'describe';
  readonly cell: Int32Array;
  readonly lines: string;
  readonly indices: readonly number[];
}

/** Lines as a recording has them. */
export interface TranscribeTask {
  readonly kind: 'transcribe';
  readonly cell: Int32Array;
  readonly lines: string;
  readonly count: number;
  readonly indices: readonly number[];
  /** Secrets are left in. */
  readonly isRaw: boolean;
}

export type PoolTask = JudgeTask | DescribeTask | TranscribeTask;

/** A prompt that did not fit an event. */
export interface BrokenPrompt {
  readonly hook: string;
  readonly configuration: number;
  readonly problem: string;
}

/** A filter that failed for an event, which it therefore did not let through. */
export interface FailedFilter {
  readonly hook: string;
  /** `line:column: why`. */
  readonly problem: string;
}

/** Verdicts for the events from `from` up to `upTo`, which may be before the `to` that was asked for. */
export interface JudgedPart {
  readonly kind: 'judged';
  readonly upTo: number;
  readonly verdicts: string;
  readonly causes: readonly Cause[];
  readonly firings: readonly Firing[];
  readonly broken: readonly BrokenPrompt[];
  readonly failedFilters: readonly FailedFilter[];
}

export type JudgeAnswer = JudgedPart | { readonly kind: 'send-rules' };

/** What the trail shows of a line. Texts are cut; empty when the line does not have them. */
export interface LineSummary {
  readonly resourceName: string;
  readonly namespace: string;
  readonly reason: string;
  readonly message: string;
}
