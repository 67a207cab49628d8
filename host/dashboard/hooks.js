/** Every Hook: whether it can fire, when it last did, and, opened, why it fires or not. */

import { HookDetail } from './hook-detail.js';
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
    detail: () => html`<${HookDetail} hook=${hook} now=${now} />`,
  }));
  return html`<${Table} caption="Hooks" columns=${COLUMNS} rows=${rows} empty="There is no Hook, so no event reaches an agent." />`;
}

function tone({ suspend, ready }) {
  if (suspend) return 'plain';
  return ready ? 'good' : 'bad';
}
