/**
 * What the status of a pod tells that no Event does: a container that was killed for want of memory, and the first restart. Pure.
 * A status stays as it is for days: each finding carries when it happened, and whoever reads it tells what is news.
 */

import type { PluginEvent } from 'khook/plugin';
import { type EventType, type Finding, timeOf } from './finding.ts';
import { type ContainerStatus, containersOf, type PodObject, type Terminated } from './pod-object.ts';

/** A container may leave four kilobytes of last words. */
const WORDS_LIMIT = 500;

export function podFindings(pod: PodObject): readonly Finding[] {
  if ((pod.metadata.name ?? '') === '') return [];
  return [
    ...containersOf(pod).flatMap((container) => [...oomKills(pod, container), ...restarts(pod, container)]),
    ...pending(pod),
  ];
}

function oomKills(pod: PodObject, container: ContainerStatus): Finding[] {
  return [container.lastState?.terminated, container.state?.terminated].flatMap((ended) => {
    if (ended?.reason !== 'OOMKilled') return [];
    const { name } = container;
    const message = `Container ${name} was killed for want of memory (exit code ${ended.exitCode ?? 137})`;
    return occurrence(pod, { type: 'oom-kill', container, reason: 'OOMKilled', message, ended });
  });
}

/** The runtime counts a restart when the next run begins; while it waits for that in a crash loop, the run before has ended already. */
function restarts(pod: PodObject, container: ContainerStatus): Finding[] {
  const ended = container.lastState?.terminated;
  const { waiting } = container.state ?? {};
  const isLooping = waiting?.reason === 'CrashLoopBackOff';
  const count = container.restartCount ?? 0;
  if (ended === undefined || (count === 0 && !isLooping)) return [];
  const how = `it ended with exit code ${ended.exitCode ?? '?'}${ended.reason ? ` (${ended.reason})` : ''}`;
  const said = ended.message?.trim() ? `: ${ended.message.trim().slice(0, WORDS_LIMIT)}` : '';
  const what = isLooping ? `waits to be restarted after ${times(count)}` : `was restarted, ${times(count)} so far`;
  const reason = isLooping ? 'CrashLoopBackOff' : (ended.reason ?? 'Restarted');
  const message = `Container ${container.name} ${what}: ${how}${said}`;
  return occurrence(pod, { type: 'pod-restart', container, reason, message, ended });
}

function pending(pod: PodObject): Finding[] {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (condition?.status !== 'False' || condition.reason !== 'Unschedulable') return [];
  const at = timeOf(condition.lastTransitionTime);
  if (at === null) return [];
  const message = condition.message || 'The pod cannot be scheduled';
  const event = eventOf(pod, { type: 'pod-pending', reason: 'Unschedulable', message, at, metadata: {} });
  return [{ kind: 'occurrence', key: `${pod.metadata.uid}/pending`, at, count: 0, event }];
}

interface ContainerFact {
  readonly type: EventType;
  readonly container: ContainerStatus;
  readonly reason: string;
  readonly message: string;
  readonly ended: Terminated;
}

/** Nothing when it does not say when: it could never be told from what was reported long ago. */
function occurrence(pod: PodObject, { type, container, reason, message, ended }: ContainerFact): Finding[] {
  const at = timeOf(ended.finishedAt) ?? timeOf(container.state?.running?.startedAt) ?? timeOf(ended.startedAt);
  if (at === null) return [];
  const { name, restartCount = 0 } = container;
  const metadata = { container: name, restartCount, exitCode: ended.exitCode ?? null };
  const event = eventOf(pod, { type, reason, message, at, metadata });
  return [{ kind: 'occurrence', key: `${pod.metadata.uid}/${name}/${type}`, at, count: 0, event }];
}

interface PodFact {
  readonly type: EventType;
  readonly reason: string;
  readonly message: string;
  readonly at: number;
  readonly metadata: Record<string, unknown>;
}

function eventOf({ metadata, spec }: PodObject, { type, reason, message, at, metadata: more }: PodFact): PluginEvent {
  const { name = '', namespace = '', uid } = metadata;
  const node = spec?.nodeName ?? '';
  return {
    type,
    resourceName: name,
    message,
    reason,
    timestamp: new Date(at).toISOString(),
    ...(namespace === '' ? {} : { namespace }),
    metadata: { kind: 'Pod', apiVersion: 'v1', uid, ...more, ...(node === '' ? {} : { node }) },
  };
}

function times(count: number): string {
  return count === 1 ? '1 restart' : `${count} restarts`;
}
