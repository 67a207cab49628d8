/** A table for a terminal. What others have written is shown, never obeyed. */

import { safeMessage } from '../telemetry/log-fields.ts';

const MAX_CELL = 48;

/** Its lines, without the end of the last one. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[], maxCell = MAX_CELL): string {
  const cells = rows.map((row) => row.map((text) => cell(text, maxCell)));
  const widths = header.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)));
  return [header, ...cells]
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function plain(text: string): string {
  return safeMessage(text, { controls: true });
}

function cell(text: string, max: number): string {
  const safe = plain(text);
  return safe.length <= max ? safe : `${safe.slice(0, max - 1)}…`;
}
