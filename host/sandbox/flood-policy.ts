/**
 * When a plugin says too much: a pure function over (traffic, what was added, now). Events are bounded by credit and are not
 * counted here, but their messages are; the rest has no credit and is bounded by the second.
 */

import { seconds, type Verdict } from './verdict.ts';

const WINDOW_MS = 1_000;

/** What came in since `since`. */
export interface Traffic {
  readonly since: number;
  readonly messages: number;
  readonly logRecords: number;
  readonly metricRecords: number;
  /** Host time that was spent on anything but frames. */
  readonly busyMs: number;
}

export interface FloodLimits {
  readonly messages: number;
  readonly logRecords: number;
  readonly metricRecords: number;
  readonly busyMs: number;
}

export const FLOOD_LIMITS: FloodLimits = { messages: 20_000, logRecords: 1_000, metricRecords: 100_000, busyMs: 200 };

export const NO_TRAFFIC: Omit<Traffic, 'since'> = { messages: 0, logRecords: 0, metricRecords: 0, busyMs: 0 };

export interface FloodJudgement {
  readonly traffic: Traffic;
  readonly verdict: Verdict | null;
}

export function judgeTraffic(
  before: Traffic,
  added: Omit<Traffic, 'since'>,
  { limits, now, wire }: { readonly limits: FloodLimits; readonly now: number; readonly wire: string },
): FloodJudgement {
  const isOver = now - before.since >= WINDOW_MS;
  const start = isOver ? { since: now, ...NO_TRAFFIC } : before;
  const traffic: Traffic = {
    since: start.since,
    messages: start.messages + added.messages,
    logRecords: start.logRecords + added.logRecords,
    metricRecords: start.metricRecords + added.metricRecords,
    busyMs: start.busyMs + added.busyMs,
  };
  const what = tooMuch(traffic, limits);
  if (what === null) return { traffic, verdict: null };
  return { traffic, verdict: { reason: 'flood', detail: `flooded its ${wire} wire: ${what}` } };
}

function tooMuch({ messages, logRecords, metricRecords, busyMs }: Traffic, limits: FloodLimits): string | null {
  if (messages > limits.messages) return `${messages} messages within a second, limit ${limits.messages}`;
  if (logRecords > limits.logRecords) return `${logRecords} log lines within a second, limit ${limits.logRecords}`;
  if (metricRecords > limits.metricRecords) {
    return `${metricRecords} metric records within a second, limit ${limits.metricRecords}`;
  }
  if (busyMs <= limits.busyMs) return null;
  return `it kept the host busy for ${seconds(busyMs)} within a second, limit ${seconds(limits.busyMs)}`;
}
