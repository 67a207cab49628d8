/** A table whose rows may be opened: the detail is a row of its own below. */

import { html, useState } from './preact.js';

/** `columns`: [{ title, className }]; `rows`: [{ key, cells, label, detail, isFresh }], the first cell opens the row where there is a detail. */
export function Table({ caption, columns, rows, empty, isTall }) {
  const [open, setOpen] = useState(() => new Set());
  const toggle = (key) => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  if (rows.length === 0) return html`<p class="quiet">${empty}</p>`;
  return html`<div class=${isTall ? 'frame tall' : 'frame'} tabindex="0" role="region" aria-label=${caption}>
    <table>
      <thead><tr>${columns.map(({ title, className }) => html`<th scope="col" class=${className}>${title}</th>`)}</tr></thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<${Row} key=${row.key} row=${row} columns=${columns} isOpen=${open.has(row.key)} onToggle=${() => toggle(row.key)} />`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Row({ row, columns, isOpen, onToggle }) {
  const { cells, detail, isFresh, key } = row;
  const first =
    detail === undefined
      ? cells[0]
      : html`<button class="open" aria-expanded=${isOpen} aria-controls=${`d-${key}`} onClick=${onToggle}>${cells[0]}</button>`;
  return html`
    <tr class=${isFresh ? 'fresh' : ''}>
      ${cells.map((cell, i) => html`<td class=${columns[i].className}>${i === 0 ? first : cell}</td>`)}
    </tr>
    ${detail !== undefined && isOpen && html`<tr class="detail" id=${`d-${key}`}><td colspan=${columns.length}>${detail()}</td></tr>`}
  `;
}
