/** The head of the page: is the host well, and what needs a look. */

import { html } from './preact.js';
import { ago, clock } from './words.js';

export const SECTIONS = [
  ['plugins', 'Plugins'],
  ['plots', 'Last hour'],
  ['events', 'Events'],
  ['hooks', 'Hooks'],
  ['flights', 'Flight records'],
  ['ledger', 'Ledger'],
];

export function Head({ status, silentSince }) {
  return html`<header>
    <a class="skip" href="#plugins">Skip to the plugins</a>
    <div class="row">
      <h1>khook ${status?.version ?? ''}</h1>
      <${Health} status=${status} silentSince=${silentSince} />
      ${status !== null && html`<span class="quiet">started ${ago(status.startedAt, status.now)}</span>`}
      <nav aria-label="Sections">
        ${SECTIONS.map(([id, title], i) => html`<a href=${`#${id}`}>${title} <kbd aria-hidden="true">${i + 1}</kbd></a>`)}
      </nav>
    </div>
    <${Alarms} status=${status} silentSince=${silentSince} />
  </header>`;
}

function Health({ status, silentSince }) {
  if (silentSince !== null) return html`<span class="pill bad" role="status">no answer</span>`;
  if (status === null) return html`<span class="pill plain" role="status">asking</span>`;
  return status.ready
    ? html`<span class="pill good" role="status">ready</span>`
    : html`<span class="pill bad" role="status">not ready</span>`;
}

function Alarms({ status, silentSince }) {
  if (silentSince !== null) {
    return html`<div class="alarm" role="alert">khook has not answered since ${clock(silentSince)}. What you see is from before; it is asked again every two seconds.</div>`;
  }
  const failing = status?.checks.filter(({ ok }) => !ok) ?? [];
  if (failing.length === 0) return null;
  return html`<div class="alarm" role="alert">Not ready:<ul>${failing.map(({ name, detail }) => html`<li><strong>${name}</strong> ${detail}</li>`)}</ul></div>`;
}
