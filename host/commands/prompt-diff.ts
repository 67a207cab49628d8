/** The lines of two prompts, as a diff is written: what went, what came, and a little around it. Pure. */

import { diff } from 'node:util';

const CONTEXT = 2;
/** More lines than that are not compared one by one: the time for it grows with the square of what differs. */
const MAX_COMPARED = 2_000;

interface MarkedLine {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

/** Each line with `-`, `+` or a space before it; `…` where equal lines are left out. */
export function promptDiff(before: string, now: string): string[] {
  const lines = compared(before.split('\n'), now.split('\n'));
  const shown: string[] = [];
  lines.forEach(({ mark, line }, n) => {
    const isNear = lines.slice(Math.max(0, n - CONTEXT), n + CONTEXT + 1).some((other) => other.mark !== ' ');
    if (isNear) shown.push(`${mark}${line}`);
    else if (shown.at(-1) !== '…') shown.push('…');
  });
  return shown;
}

/** What both begin and end with is set aside first: mostly a prompt differs in one place. */
function compared(before: readonly string[], now: readonly string[]): MarkedLine[] {
  const shorter = Math.min(before.length, now.length);
  let head = 0;
  while (head < shorter && before[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  return [
    ...marked(' ', now.slice(0, head)),
    ...differing(before.slice(head, before.length - tail), now.slice(head, now.length - tail)),
    ...marked(' ', now.slice(now.length - tail)),
  ];
}

function differing(before: readonly string[], now: readonly string[]): MarkedLine[] {
  const isPlain = before.length === 0 || now.length === 0;
  if (isPlain || before.length + now.length > MAX_COMPARED) return [...marked('-', before), ...marked('+', now)];
  return diff(before, now).map(([operation, line]) => ({
    mark: operation === 0 ? ' ' : operation > 0 ? '-' : '+',
    line,
  }));
}

function marked(mark: MarkedLine['mark'], lines: readonly string[]): MarkedLine[] {
  return lines.map((line) => ({ mark, line }));
}
