/** Why one Hook fires or not: asked of the host while somebody has it open, and no more often than the host looks anew. */

import { get } from './host.js';
import { html, useEffect, useState } from './preact.js';
import { ago } from './words.js';

const ASK_EVERY_MS = 10_000;

export function HookDetail({ hook, now }) {
  const { namespace, name, reason } = hook;
  const [told, setTold] = useState(null);
  const [isSilent, setSilent] = useState(false);
  useEffect(() => {
    let isOpen = true;
    const ask = () =>
      get(`/api/v1/hooks/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`, 15_000).then(
        (answer) => {
          if (!isOpen) return;
          setTold(answer);
          setSilent(false);
        },
        () => isOpen && setSilent(true),
      );
    void ask();
    const timer = setInterval(ask, ASK_EVERY_MS);
    return () => {
      isOpen = false;
      clearInterval(timer);
    };
  }, [namespace, name]);
  return html`<div aria-live="polite">
    ${reason !== '' && html`<p>${reason}</p>`}
    ${told === null && html`<p class="quiet">${isSilent ? 'khook could not tell why it fires or not; it is asked again.' : 'Looking at the newest events …'}</p>`}
    ${told !== null && html`<${Told} told=${told} now=${now} />`}
  </div>`;
}

function Told({ told: { says, faults, misses }, now }) {
  return html`
    <p>${says.join(' ')}</p>
    ${faults.length > 0 && html`<h3>What is wrong</h3><ul>${faults.map((fault) => html`<li><${Fault} fault=${fault} /></li>`)}</ul>`}
    ${misses.length > 0 && html`<h3>Nearest misses</h3><ul>${misses.map((miss) => html`<li key=${miss.event.id}><${Miss} miss=${miss} now=${now} /></li>`)}</ul>`}
    ${faults.length + misses.length === 0 && html`<p class="quiet">Nothing came near without firing.</p>`}`;
}

function Miss({ miss, now }) {
  const { id, plugin, type, resourceName, namespace, receivedAt } = miss.event;
  const about = namespace === '' ? resourceName : `${namespace}/${resourceName}`;
  return html`<span class="quiet">${plugin}:${type} ${about}, ${ago(receivedAt, now)}, ${id}${miss.events > 1 && `, the newest of ${miss.events}`}</span><br /><${Fault} fault=${miss} />`;
}

function Fault({ fault: { cause, fix, paste } }) {
  return html`${cause}${fix !== '' && html`<br /><strong>→ ${fix}</strong>`}${paste !== undefined && html`<pre>${paste}</pre>`}`;
}
