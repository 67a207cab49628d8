/** What the doctor finds: each opens to what was seen, why it is so and what to do. */

import { html } from './preact.js';

const PILLS = { problem: 'bad', warning: 'warn', note: 'plain' };

export function Findings({ findings }) {
  if (findings.length === 0) return null;
  return html`<section class="findings" aria-label="What is wrong">
    ${findings.map((finding) => html`<${Finding} key=${`${finding.code} ${finding.subject}`} finding=${finding} />`)}
  </section>`;
}

function Finding({ finding: { code, severity, problem, evidence, cause, fix, paste } }) {
  return html`<details>
    <summary><span class=${`pill ${PILLS[severity]}`}>${severity}</span> ${problem} <code class="quiet">${code}</code></summary>
    ${evidence.length > 0 && html`<ul>${evidence.map((seen) => html`<li>${seen}</li>`)}</ul>`}
    ${cause !== '' && html`<p>${cause}</p>`}
    <p><strong>${fix}</strong></p>
    ${paste !== '' && html`<pre tabindex="0">${paste}</pre>`}
  </details>`;
}
