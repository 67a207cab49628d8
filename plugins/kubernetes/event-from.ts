/** An Event object as an event of khook. Pure. */

import type { PluginEvent } from 'khook/plugin';
import { countOf, type EventObject } from './event-object.ts';
import type { EventType } from './reason-table.ts';
import { newestTime } from './staleness.ts';

export function eventFrom(type: EventType, event: EventObject): PluginEvent {
  const { regarding = {}, metadata, reason = '', note = '' } = event;
  const { namespace = '' } = metadata;
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
