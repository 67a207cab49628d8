/** Events that ended as they would not any more: the mapping is there now, the filter is another one, the plugin was started anew. Pure. */

import { hookId } from '../config/hook.ts';
import type { EventSnapshot } from '../http/view.ts';
import type { Evidence } from './evidence.ts';

/** The events that still tell what is wrong now. */
export function unmended(events: readonly EventSnapshot[], evidence: Evidence): EventSnapshot[] {
  const { rules, plugins, filterSince, at } = evidence;
  const mapped = new Map(rules.mappings.map((each) => [`${each.eventSource}:${each.eventType}`, each.enabled]));
  const generations = new Map(plugins.map(({ name, generation }) => [name, generation]));
  const hooks = new Set(rules.hooks.map(hookId));
  const isMended = (event: EventSnapshot): boolean => {
    const isEnabled = mapped.get(`${event.plugin}:${event.type}`);
    switch (event.outcome) {
      case 'unmapped':
        return isEnabled !== undefined;
      case 'mapping_disabled':
        return isEnabled !== false;
      case 'invalid':
      case 'dropped':
        return generationOf(event) < (generations.get(event.plugin) ?? 0);
      case 'filtered': {
        const hook = hookIn(event);
        return hook !== '' && (!hooks.has(hook) || (filterSince.get(hook) ?? 0) > Date.parse(event.receivedAt));
      }
      case 'duplicate':
        return silentUntil(event) <= at;
      default:
        return false;
    }
  };
  return events.filter((event) => !isMended(event));
}

/** The Hook whose filter failed, or else refused it; empty: its trail does not say. */
export function hookIn({ trail }: EventSnapshot): string {
  const detail = trail.at(-1)?.detail ?? '';
  const failed = /that of (\S+) failed: /.exec(detail);
  const refused = /the filters? of Hooks? ([^\s,;]+)/.exec(detail);
  return (failed ?? refused)?.[1] ?? '';
}

/** The life of the plugin that sent it: `puppet-mwzogscb-2-4f` is of the second. Of a test event: any. */
function generationOf({ id, plugin }: EventSnapshot): number {
  const [, generation] = id.startsWith(`${plugin}-`) ? id.slice(plugin.length + 1).split('-') : [];
  return generation === undefined ? Number.POSITIVE_INFINITY : Number(generation);
}

function silentUntil({ trail }: EventSnapshot): number {
  const [, until = ''] = /until (\S+Z)$/.exec(trail.at(-1)?.detail ?? '') ?? [];
  return until === '' ? Number.POSITIVE_INFINITY : Date.parse(until);
}
