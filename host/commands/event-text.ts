/** An event and its trail in words, for a terminal. */

import type { EventSnapshot } from '../http/view.ts';

export function eventText(event: EventSnapshot): string {
  const place = event.namespace === '' ? '' : ` in ${event.namespace}`;
  const mapped = event.internalType === '' ? '' : ` (${event.internalType})`;
  const lines = [`${event.id}  ${event.plugin}:${event.type}${mapped} about ${event.resourceName}${place}`];
  for (const { at, step, detail } of event.trail) {
    lines.push(`  ${at.slice(11, 23)}  ${step}${detail === '' ? '' : `: ${detail}`}`);
  }
  lines.push(`  outcome: ${event.outcome ?? 'in flight'}`);
  return `${lines.join('\n')}\n`;
}
