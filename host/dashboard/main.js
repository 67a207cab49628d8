/** The dashboard: one page over the read API. */

import { Events } from './events.js';
import { Findings } from './findings.js';
import { Flights } from './flights.js';
import { Head, SECTIONS } from './head.js';
import { Hooks } from './hooks.js';
import { Host } from './host.js';
import { Ledger } from './ledger.js';
import { Plots } from './plots.js';
import { Plugins } from './plugins.js';
import { html, render, useEffect, useState } from './preact.js';

const host = new Host();

function App() {
  const [state, setState] = useState(host.state);
  const [held, setHeld] = useState(null);
  useEffect(() => host.subscribe(setState), []);
  const hold = () => setHeld((before) => (before === null ? host.state.events : null));
  useEffect(() => {
    const onKey = (event) => pressed(event, hold);
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  const { status, plugins, hooks, ledger, flights, events, history, findings, silentSince, missed } = state;
  const now = status?.now ?? new Date().toISOString();
  const parts = {
    plugins: html`<${Plugins} plugins=${plugins} history=${history} now=${now} />`,
    plots: html`<${Plots} history=${history} />`,
    events: html`<${Events} events=${events} plugins=${plugins} missed=${missed} now=${now} held=${held} onHold=${hold} />`,
    hooks: html`<${Hooks} hooks=${hooks} now=${now} />`,
    flights: html`<${Flights} flights=${flights} now=${now} />`,
    ledger: html`<${Ledger} ledger=${ledger} />`,
  };
  return html`
    <${Head} status=${status} silentSince=${silentSince} />
    <main><${Findings} findings=${findings} />${SECTIONS.map(([id, title]) => html`<section id=${id} tabindex="-1"><h2>${title}</h2>${parts[id]}</section>`)}</main>`;
}

/** 1 to 6 lead to a section, p holds the list of events. Not while somebody writes or holds another key. */
function pressed({ key, target, ctrlKey, metaKey, altKey }, hold) {
  if (ctrlKey || metaKey || altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
  const [id] = SECTIONS[Number(key) - 1] ?? [];
  if (id !== undefined) {
    const section = document.getElementById(id);
    section?.scrollIntoView();
    section?.focus({ preventScroll: true });
  } else if (key === 'p') hold();
}

host.start();
const place = document.getElementById('app');
place.replaceChildren();
render(html`<${App} />`, place);
