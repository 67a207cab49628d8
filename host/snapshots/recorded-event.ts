/** One event as a recording has it: as it was, and what became of it. The shape is a contract: docs/replay.md. */

import { hash, randomBytes } from 'node:crypto';
import { typeAt } from '../../ipc/frame.ts';
import { redactText } from '../base/redact.ts';
import { type FiringBudget, type FiringFate, MAX_FATES } from '../ledger/firing-fate.ts';
import type { Judgement, LedgerFrame } from '../ledger/ledger-frame.ts';
import type { RecordedFiring } from '../replay/recording-line.ts';

/** Of this process. Keys hold names out of events; in a recording they are only compared. */
const SECRET = randomBytes(16).toString('hex');
const EXPLAINED: ReadonlySet<string | null> = new Set(['invalid', 'unmatched', 'filtered', 'dead_lettered', 'dropped']);

/** `members` are those of the event itself, as the pool has written them. */
export function recordedEvent(
  frame: LedgerFrame,
  index: number,
  { members, isRaw }: { readonly members: string; readonly isRaw: boolean },
): string {
  const { origin, judgement } = frame;
  const outcome = frame.outcome(index);
  const cause = EXPLAINED.has(outcome)
    ? frame.steps(index).findLast(({ step }) => step === outcome)?.detail
    : undefined;
  const fates = frame.fates(index);
  const head = {
    kind: 'event',
    id: frame.id(index),
    source: origin.plugin,
    type: typeAt(frame.frame, index),
    receivedAt: time(origin.receivedAt),
    ...(judgement !== null && {
      judgedAt: time(judgement.at),
      elapsedMs: Math.round(judgement.atMonotonic * 1_000) / 1_000,
      order: judgement.order + index,
    }),
  };
  const tail = {
    internalType: judgement?.internalTypes[frame.frame.typeIndex.charCodeAt(index)] ?? '',
    outcome,
    ...(cause !== undefined && cause !== '' && { cause: isRaw ? cause : redactText(cause) }),
    ...(judgement !== null && { firings: fates.map((fate) => recordedFiring(fate, judgement)) }),
    ...(fates.length === MAX_FATES && { hasMoreFirings: true }),
  };
  return `${JSON.stringify(head).slice(0, -1)},${members},${JSON.stringify(tail).slice(1)}`;
}

function recordedFiring(
  { subject, decision, budget, isHeld, digest, end }: FiringFate,
  { at, atMonotonic }: Judgement,
): RecordedFiring {
  const { hook, configuration, agent, dedupKey } = subject;
  return {
    ...{ hook, configuration, agent, key: hash('sha256', SECRET + dedupKey).slice(0, 16) },
    ...recordedDecision(decision),
    ...(budget !== null && { budget: recordedBudget(budget) }),
    ...(isHeld && { held: true }),
    ...(digest !== null && { digest }),
    ...(end !== null && { outcome: end.outcome, endedAt: time(at + end.atMonotonic - atMonotonic) }),
  };
}

function recordedBudget({ callsPerHour, calls, until }: FiringBudget): RecordedFiring['budget'] & object {
  return { callsPerHour, calls, ...(until !== null && { until: time(until) }) };
}

function recordedDecision(
  decision: FiringFate['decision'],
): Pick<RecordedFiring, 'decision'> & Partial<RecordedFiring> {
  switch (decision?.kind) {
    case 'accepted':
      return { decision: 'accepted', messageId: decision.messageId };
    case 'duplicate':
      return { decision: 'duplicate', until: time(decision.until) };
    case 'repeat':
      return { decision: 'duplicate', of: decision.of };
    case 'dropped':
      return { decision: 'dropped', reason: decision.reason };
    default:
      return { decision: 'pending' };
  }
}

function time(wall: number): string {
  return new Date(wall).toISOString();
}
