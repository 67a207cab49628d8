/** The lines of two prompts, as a diff is written: what went, what came, and a little around it. Pure. */

import { diff } from 'node:util';

const CONTEXT = 2;

/** Each line with `-`, `+` or a space before it; `…` where equal lines are left out. */
export function promptDiff(before: string, now: string): string[] {
  const marks: Readonly<Record<number, string>> = { 1: '-', [-1]: '+' };
  const lines = diff(before.split('\n'), now.split('\n')).map(([operation, line]) => ({
    mark: marks[operation] ?? ' ',
    line,
  }));
  const shown: string[] = [];
  lines.forEach(({ mark, line }, n) => {
    const isNear = lines.slice(Math.max(0, n - CONTEXT), n + CONTEXT + 1).some((other) => other.mark !== ' ');
    if (isNear) shown.push(`${mark}${line}`);
    else if (shown.at(-1) !== '…') shown.push('…');
  });
  return shown;
}
