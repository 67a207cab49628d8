/** Flight records: the last moments of each run that failed. */

import { html } from './preact.js';
import { Table } from './table.js';
import { ago, bytes, clock, percent, span } from './words.js';

const COLUMNS = [
  { title: 'When' },
  { title: 'Plugin' },
  { title: 'Reason' },
  { title: 'What happened', className: 'text' },
  { title: 'Generation', className: 'number' },
  { title: 'Ran for', className: 'number' },
];

export function Flights({ flights, now }) {
  const rows = flights.map((record) => ({
    key: record.id,
    cells: [
      ago(record.at, now),
      record.plugin,
      html`<span class="pill bad">${record.reason.replaceAll('_', ' ')}</span>`,
      record.detail,
      record.generation,
      span(Math.round(record.uptimeMs / 1000)),
    ],
    detail: () => html`<${Record} record=${record} />`,
  }));
  return html`<${Table} caption="Flight records" columns=${COLUMNS} rows=${rows} empty="No run of a plugin has failed since khook started." />`;
}

function Record({ record }) {
  const last = record.vitalSigns.at(-1);
  return html`
    ${last !== undefined && html`<p>At the end: heap ${bytes(last.heapBytes)}, outside it ${bytes(last.externalBytes)}, loop ${percent(last.eventLoopUtilization)} busy, silent for ${Math.round(last.silentMs)} ms.</p>`}
    ${record.stack !== '' && html`<pre>${record.stack}</pre>`}
    ${record.log.length > 0 && html`<pre class="log">${record.log.map(({ at, level, message }) => html`<time datetime=${at}>${clock(at)}</time> ${level} ${message}\n`)}</pre>`}
    ${record.events.length > 0 && html`<p class="quiet">Last events: ${record.events.map(({ id }) => id).join(', ')}</p>`}`;
}
