/** The ledger: every event that came in, by how it ended. */

import { html } from './preact.js';
import { whole } from './words.js';

export function Ledger({ ledger }) {
  if (ledger === null) return null;
  const { received, restored, inFlight, outcomes, residual } = ledger;
  const figures = [
    ['received', received],
    ['restored from the outbox', restored],
    ...Object.entries(outcomes).map(([name, count]) => [name.replaceAll('_', ' '), count]),
    ['in flight', inFlight],
    ['residual, must be 0', residual],
  ];
  return html`<dl class="figures">${figures.map(
    ([name, count]) =>
      html`<div class=${name.startsWith('residual') && count !== 0 ? 'wrong' : ''}><dt>${name}</dt><dd>${whole(count)}</dd></div>`,
  )}</dl>`;
}
