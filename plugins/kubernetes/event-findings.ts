/** What an Event tells. Pure. */

import type { PluginEvent } from 'khook/plugin';
import { countOf, type EventObject, newestTime } from './event-object.ts';
import type { EventType, Finding } from './finding.ts';
import { classify } from './reason-table.ts';

export function eventFindings(event: EventObject): readonly Finding[] {
  const found = classify(event);
  if (found.kind === 'ignored') return [found];
  const { uid } = event.metadata;
  const at = newestTime(event)?.at ?? null;
  return [{ kind: 'occurrence', key: uid, at, count: countOf(event), event: eventFrom(found.type, event) }];
}

export function eventFrom(type: EventType, event: EventObject): PluginEvent {
  const { regarding = {}, metadata, reason = '', note = '' } = event;
  // Events about nodes stand in the namespace `default`, but a node belongs to none.
  const namespace = regarding.kind === 'Node' ? '' : (metadata.namespace ?? '');
  const time = newestTime(event);
  return {
    type,
    resourceName: regarding.name ?? '',
    message: note.trim() === '' ? `${reason || type} of ${regarding.kind ?? 'object'} ${regarding.name ?? ''}` : note,
    ...(namespace === '' ? {} : { namespace }),
    ...(reason === '' ? {} : { reason }),
    ...(time === null ? {} : { timestamp: time.text }),
    metadata: {
      kind: regarding.kind ?? '',
      apiVersion: regarding.apiVersion ?? '',
      count: countOf(event),
      type: event.type ?? '',
      reportingController: event.reportingController ?? '',
      reportingInstance: event.reportingInstance ?? '',
      uid: metadata.uid,
      ...(regarding.fieldPath ? { fieldPath: regarding.fieldPath } : {}),
    },
  };
}
