/** Events as they come, each with its trail. The list can be held, so that it does not run away from whoever reads it. */

import { html, useState } from './preact.js';
import { Table } from './table.js';
import { clock, whole } from './words.js';

const COLUMNS = [
  { title: 'Event' },
  { title: 'Outcome' },
  { title: 'Plugin' },
  { title: 'Type' },
  { title: 'About' },
  { title: 'Message', className: 'text' },
];
const SHOWN = 50;
const FRESH_MS = 2_500;

export function outcomeTone(outcome) {
  if (outcome === 'delivered') return 'good';
  if (outcome === 'dead_lettered' || outcome === 'invalid' || outcome === 'dropped') return 'bad';
  return outcome === null ? 'warn' : 'plain';
}

export function Events({ events, plugins, missed, now, held, onHold }) {
  const [plugin, setPlugin] = useState('');
  const [outcome, setOutcome] = useState('');
  const source = held ?? events;
  const outcomes = [...new Set(source.map((event) => event.outcome ?? 'in flight'))].sort();
  const shown = source.filter(
    (event) =>
      (plugin === '' || event.plugin === plugin) && (outcome === '' || (event.outcome ?? 'in flight') === outcome),
  );
  const rows = shown.slice(0, SHOWN).map((event) => ({
    key: event.id,
    isFresh: Date.parse(now) - Date.parse(event.receivedAt) < FRESH_MS,
    cells: [
      clock(event.receivedAt),
      html`<span class=${`pill ${outcomeTone(event.outcome)}`}>${(event.outcome ?? 'in flight').replaceAll('_', ' ')}</span>`,
      event.plugin,
      event.internalType === '' ? event.type : `${event.type} → ${event.internalType}`,
      event.namespace === '' ? event.resourceName : `${event.namespace}/${event.resourceName}`,
      event.message,
    ],
    detail: () => html`<${Trail} event=${event} />`,
  }));
  return html`
    <div class="tools">
      <label>Plugin <select value=${plugin} onChange=${({ target }) => setPlugin(target.value)}>
        <option value="">all</option>
        ${plugins.map(({ name }) => html`<option value=${name}>${name}</option>`)}
      </select></label>
      <label>Outcome <select value=${outcome} onChange=${({ target }) => setOutcome(target.value)}>
        <option value="">all</option>
        ${outcomes.map((name) => html`<option value=${name}>${name.replaceAll('_', ' ')}</option>`)}
      </select></label>
      <button aria-pressed=${held !== null} onClick=${onHold}>Hold the list <kbd>p</kbd></button>
      <span class="quiet">${held === null ? 'live' : 'held'}${missed > 0 ? `, ${whole(missed)} too many to show` : ''}</span>
    </div>
    <${Table} caption="Events" columns=${COLUMNS} rows=${rows} empty="No event yet." isTall />`;
}

function Trail({ event }) {
  return html`
    <p class="quiet">${event.id}</p>
    <ol class="trail">${event.trail.map(({ at, step, detail }) => html`<li><time datetime=${at}>${clock(at)}</time> <strong>${step}</strong> ${detail}</li>`)}</ol>`;
}
