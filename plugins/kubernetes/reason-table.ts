/** Which Events become events of khook, and of which type. Pure; the first rule that applies decides. */

import type { EventObject } from './event-object.ts';
import type { EventType } from './finding.ts';

export type Classification =
  | { readonly kind: 'event'; readonly type: EventType }
  | { readonly kind: 'ignored'; readonly why: 'kind' | 'normal' | 'reason' | 'nameless' };

interface Seen {
  /** Lower case. */
  readonly reason: string;
  /** Lower case. */
  readonly note: string;
  readonly isWarning: boolean;
}

interface Rule {
  readonly applies: (seen: Seen) => boolean;
  readonly type: EventType | null;
}

const saysOom = (note: string): boolean => note.includes('oom') || note.includes('out of memory');
const namesProbe = (note: string): boolean => /liveness|readiness|startup/.test(note);

const POD_RULES: readonly Rule[] = [
  { applies: ({ reason }) => reason === 'oomkilling' || reason === 'oomkilled', type: 'oom-kill' },
  { applies: ({ reason, note }) => (reason === 'killing' || reason === 'killed') && saysOom(note), type: 'oom-kill' },
  { applies: ({ reason }) => reason === 'killing' || reason === 'killed', type: 'pod-restart' },
  { applies: ({ reason }) => reason === 'backoff', type: 'pod-restart' },
  { applies: ({ reason, note }) => reason === 'failed' && note.includes('container'), type: 'pod-restart' },
  { applies: ({ reason }) => reason === 'failedscheduling', type: 'pod-pending' },
  // Probes stand before "pending": a probe's note quotes what the container answered, and that may hold the word.
  { applies: ({ reason, note }) => reason === 'unhealthy' && namesProbe(note), type: 'probe-failed' },
  { applies: ({ reason }) => reason === 'unhealthy', type: null },
  { applies: ({ reason, isWarning }) => isWarning && reason.includes('probe'), type: 'probe-failed' },
  {
    applies: ({ reason, note, isWarning }) => reason === 'pending' || (isWarning && note.includes('pending')),
    type: 'pod-pending',
  },
];

export function classify(event: EventObject): Classification {
  const reason = (event.reason ?? '').toLowerCase();
  const type = (event.type ?? '').toLowerCase();
  const { kind = '', name = '' } = event.regarding ?? {};
  if (kind !== 'Pod' && kind !== 'Node') return { kind: 'ignored', why: 'kind' };
  if (name === '') return { kind: 'ignored', why: 'nameless' };
  // The node controller reports NodeNotReady as Normal: the type says nothing about a node.
  if (kind === 'Node') return reason === 'nodenotready' ? { kind: 'event', type: 'node-not-ready' } : IGNORED_REASON;
  if (type === 'normal') return { kind: 'ignored', why: 'normal' };
  const seen = { reason, note: (event.note ?? '').toLowerCase(), isWarning: type === 'warning' };
  const rule = POD_RULES.find(({ applies }) => applies(seen));
  return rule?.type ? { kind: 'event', type: rule.type } : IGNORED_REASON;
}

const IGNORED_REASON: Classification = { kind: 'ignored', why: 'reason' };
