/** Every Hook: whether it can fire, and when it last did. */

import { html } from './preact.js';
import { Table } from './table.js';
import { ago } from './words.js';

const COLUMNS = [
  { title: 'Hook' },
  { title: 'State' },
  { title: 'Event types' },
  { title: 'Active events', className: 'number' },
  { title: 'Last fired' },
];

export function Hooks({ hooks, now }) {
  const rows = hooks.map((hook) => ({
    key: `${hook.namespace}/${hook.name}`,
    cells: [
      `${hook.namespace}/${hook.name}`,
      html`<span class=${`pill ${tone(hook)}`}>${hook.suspend ? 'suspended' : hook.ready ? 'ready' : 'not ready'}</span>`,
      hook.eventTypes.join(', '),
      hook.activeEvents,
      ago(hook.lastFired, now),
    ],
    ...(hook.reason !== '' && { detail: () => html`<p>${hook.reason}</p>` }),
  }));
  return html`<${Table} caption="Hooks" columns=${COLUMNS} rows=${rows} empty="There is no Hook, so no event reaches an agent." />`;
}

function tone({ suspend, ready }) {
  if (suspend) return 'plain';
  return ready ? 'good' : 'bad';
}
