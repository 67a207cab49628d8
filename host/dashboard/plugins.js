/** Every plugin: what it is doing, what it takes, and why it does not run. */

import { html } from './preact.js';
import { Table } from './table.js';
import { ago, bytes, counts, percent, rate, until, whole } from './words.js';

const COLUMNS = [
  { title: 'Plugin' },
  { title: 'State' },
  { title: 'Generation', className: 'number' },
  { title: 'Events/s', className: 'number' },
  { title: 'Events', className: 'number' },
  { title: 'Memory', className: 'number' },
  { title: 'CPU', className: 'number' },
  { title: 'Loop', className: 'number' },
  { title: 'Restarts' },
  { title: 'Last event' },
];

const NEAR = 0.8;

export function stateTone(state) {
  if (state === 'running') return 'good';
  if (state === 'disabled' || state === 'stopped' || state === 'idle') return 'plain';
  return state === 'failed' ? 'bad' : 'warn';
}

export function Plugins({ plugins, history, now }) {
  const last = (name, column) => history?.plugins.find((each) => each.name === name)?.[column].at(-1) ?? 0;
  const rows = plugins.map((plugin) => ({
    key: plugin.name,
    cells: [
      plugin.name,
      html`<span class=${`pill ${stateTone(plugin.state)}`}>${plugin.state}</span>`,
      plugin.generation,
      rate(last(plugin.name, 'eventsPerSecond')),
      whole(plugin.eventsAccepted),
      html`<${Memory} plugin=${plugin} />`,
      percent(last(plugin.name, 'cpuShare')),
      percent(plugin.eventLoopUtilization),
      counts(plugin.restarts),
      ago(plugin.lastEventAt, now),
    ],
    detail: () => html`<${Detail} plugin=${plugin} now=${now} />`,
  }));
  return html`<${Table} caption="Plugins" columns=${COLUMNS} rows=${rows} empty="There is no plugin. Put a bundle into the plugin folder." />`;
}

function Memory({ plugin: { memoryBytes, memoryLimitBytes } }) {
  if (memoryLimitBytes === 0) return '–';
  const share = Math.min(1, memoryBytes / memoryLimitBytes);
  return html`${bytes(memoryBytes)} of ${bytes(memoryLimitBytes)}
    <span class="bar" aria-hidden="true"><span class=${share > NEAR ? 'high' : ''} style=${{ width: `${share * 100}%` }}></span></span>`;
}

function Detail({ plugin, now }) {
  const { version, isolation, required, reason, remedy, lastExit, nextStartAt, retryAt } = plugin;
  return html`
    <p>Version ${version || 'unknown'}, in a ${isolation} of its own${required ? ', required for readiness' : ''}.</p>
    ${reason !== '' && html`<p>${reason}</p>`}
    ${remedy !== '' && html`<pre>${remedy}</pre>`}
    ${lastExit !== null && html`<p>Ended last ${ago(lastExit.at, now)}: ${lastExit.reason.replaceAll('_', ' ')}, ${lastExit.detail}</p>`}
    ${nextStartAt !== null && html`<p>Starts again ${until(nextStartAt, now)}.</p>`}
    ${retryAt !== null && html`<p>Has one more try ${until(retryAt, now)}.</p>`}
  `;
}
