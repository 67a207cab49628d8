/** The status of a Hook: what it should be, whether that is what stands there, and what to send. Pure. */

import { isDeepStrictEqual } from 'node:util';
import { type HookStatus, MAX_KEY, type ActiveEvent as WrittenEvent } from '../config/hook-status.ts';
import type { ActiveEvent } from './active-events.ts';
import { type AgentAnswer, agentReachableOf, type RuleProblem, readyOf, withConditions } from './hook-conditions.ts';
import type { StoredHook } from './hook-store.ts';

export interface StatusInput {
  readonly stored: StoredHook;
  readonly ruleProblem: RuleProblem | null;
  readonly answers: readonly AgentAnswer[];
  /** Oldest firing first. */
  readonly events: readonly ActiveEvent[];
  /** Wall milliseconds. */
  readonly now: number;
}

/** An object of the API server may have 1.5 MiB: the rest is for the Hook itself, and for the fields of others. */
const MAX_EVENTS_BYTES = 512 * 1_024;

/** Without `lastUpdated`, which says nothing by itself. */
export function desiredStatus({ stored, ruleProblem, answers, events, now }: StatusInput): HookStatus {
  const { status: written, generation } = stored;
  const conditions = written.conditions ?? [];
  const reachable = conditions.find(({ type, observedGeneration }) => {
    // What was found out about other agents says nothing.
    return type === 'AgentReachable' && observedGeneration === generation;
  });
  const judgements = [readyOf(stored, ruleProblem), agentReachableOf(answers, reachable)];
  const firedAt = Math.max(...events.map(({ firstSeen }) => firstSeen), Date.parse(written.lastFired ?? '') || 0);
  return {
    observedGeneration: generation,
    conditions: withConditions(conditions, judgements, { observedGeneration: generation, at: instant(now) }),
    activeEvents: newestWithin(events.map(writtenEvent), MAX_EVENTS_BYTES),
    activeEventCount: events.filter(({ state }) => state === 'firing').length,
    ...(firedAt > 0 && { lastFired: instant(firedAt) }),
  };
}

/** Times that only say when it was written are no difference. */
export function isSameStatus(a: HookStatus, b: HookStatus): boolean {
  return isDeepStrictEqual(timeless(a), timeless(b));
}

function timeless({ lastUpdated: _, conditions, ...status }: HookStatus): unknown {
  return { ...status, conditions: conditions?.map((condition) => ({ ...condition, lastTransitionTime: '' })) };
}

/** As a merge patch that fails with a conflict when somebody else has changed the Hook since it was read. */
export function statusPatch(desired: HookStatus, { resourceVersion }: StoredHook, now: number): unknown {
  return { metadata: { resourceVersion }, status: { ...desired, lastUpdated: instant(now) } };
}

/** Whether the API server has dropped fields that khook needs when another one takes over. */
export function isPruned(sent: HookStatus, kept: HookStatus): boolean {
  if ((sent.conditions?.length ?? 0) > 0 && kept.conditions === undefined) return true;
  const [first] = sent.activeEvents ?? [];
  return first?.dedupKey !== undefined && kept.activeEvents?.[0]?.dedupKey === undefined;
}

/** What a status says of firings. Entries of older khooks name no key and are passed over, and so are keys of other Hooks, which it cannot speak for. */
export function recordedEvents({ id, status }: StoredHook): ActiveEvent[] {
  return (status.activeEvents ?? []).flatMap((event) => {
    const { dedupKey, eventType, resourceName, namespace = '', source = '', messageId = '', status: state } = event;
    if (dedupKey === undefined || !dedupKey.startsWith(`[${JSON.stringify(id)},`)) return [];
    const lastNotified = event.lastNotified === undefined ? null : Date.parse(event.lastNotified);
    const times = { firstSeen: Date.parse(event.firstSeen), lastSeen: Date.parse(event.lastSeen), lastNotified };
    return [{ hook: id, dedupKey, eventType, resourceName, namespace, source, messageId, ...times, state }];
  });
}

function writtenEvent(event: ActiveEvent): WrittenEvent {
  const { eventType, resourceName, namespace, source, dedupKey, messageId, lastNotified } = event;
  return {
    eventType,
    resourceName,
    ...(namespace !== '' && { namespace }),
    ...(source !== '' && { source }),
    status: event.state,
    firstSeen: instant(event.firstSeen),
    lastSeen: instant(event.lastSeen),
    ...(lastNotified !== null && { lastNotified: instant(lastNotified) }),
    ...(messageId !== '' && { messageId }),
    ...(dedupKey.length <= MAX_KEY && { dedupKey }),
  };
}

function newestWithin(events: readonly WrittenEvent[], maxBytes: number): WrittenEvent[] {
  let bytes = 0;
  let from = events.length;
  while (from > 0) {
    bytes += Buffer.byteLength(JSON.stringify(events[from - 1]));
    if (bytes > maxBytes) break;
    from -= 1;
  }
  return events.slice(from);
}

function instant(wall: number): string {
  return new Date(wall).toISOString();
}
