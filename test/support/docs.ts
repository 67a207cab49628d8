/** Reads the tables of docs/*.md, so that a test can hold them against the code. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export function readDoc(name: string): string {
  return readFileSync(resolve(import.meta.dirname, '../../docs', name), 'utf8');
}

/** The text below a heading (`## Settings`), up to the next heading of the same or a higher level. */
export function section(text: string, heading: string): string {
  const level = heading.indexOf(' ');
  const lines = text.split('\n');
  const from = lines.indexOf(heading);
  if (from < 0) throw new Error(`there is no heading '${heading}'`);
  let isCode = false;
  const to = lines.findIndex((line, index) => {
    // A comment of a shell is no heading.
    if (line.startsWith('```')) isCode = !isCode;
    return !isCode && index > from && /^#+ /.test(line) && line.indexOf(' ') <= level;
  });
  return lines.slice(from + 1, to < 0 ? undefined : to).join('\n');
}

/** The cells of every table row, without headers and rules; one level of back-ticks around a whole cell is taken off. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const isHeader = /^\|[\s:|-]+\|$/.test(lines[index + 1] ?? '');
    if (!line.startsWith('|') || isHeader || /^\|[\s:|-]+\|$/.test(line)) return [];
    return [cells(line)];
  });
}

function cells(line: string): string[] {
  return line
    .slice(1, line.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) =>
      cell
        .trim()
        .replaceAll('\\|', '|')
        .replace(/^`([^`]*)`$/, '$1'),
    );
}

/** The text of every fenced block of a language. */
export function codeBlocks(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, tag]) => tag === language)
    .map(([, , body]) => body ?? '');
}
