/** The end of a replay in words: per Hook, per way in which events end, and what is to be known of the recording. Pure. */

import type { ReplayEnd } from './replay-report.ts';

type Row = readonly (string | number)[];

export function replaySummary({ tally, facts, digests }: ReplayEnd): string {
  const hooks = tally.hooks.map(([hook, { before, now, fresh, gone, changed }]) => [
    hook,
    before,
    now,
    fresh,
    gone,
    changed,
  ]);
  const ends = [...tally.ends].map(([end, { before, now }]) => [end, before, now]);
  const span = tally.span;
  const when = span === null ? '' : `, ${time(span.from)} to ${time(span.to)}`;
  const lines = [
    ...table(['Hook', 'before', 'now', '+ new', '- gone', '~ changed'], hooks),
    ...table(['Events end as', 'before', 'now'], ends),
    ...tally.hooks.flatMap(([hook, { heldBefore, heldNow }]) => heldLine(hook, { heldBefore, heldNow, digests })),
    '',
    `${count(tally.events, 'event')}${when}: ${tally.differences === 0 ? 'no difference' : count(tally.differences, 'difference')}.`,
    ...notes({ tally, facts }),
  ];
  return `${lines.join('\n')}\n`;
}

function heldLine(
  hook: string,
  held: { readonly heldBefore: number; readonly heldNow: number; readonly digests: ReplayEnd['digests'] },
): string[] {
  if (held.heldBefore + held.heldNow === 0) return [];
  const digests = held.digests.now.get(hook) ?? 0;
  const how = digests === 0 ? '' : `, and go out with ${count(digests, 'digest')}`;
  return [`The budget of ${hook} holds ${held.heldNow} back${how}; before: ${held.heldBefore}.`];
}

function notes({ tally, facts }: Pick<ReplayEnd, 'tally' | 'facts'>): string[] {
  const { broken, missed, redacted, repeated } = facts;
  const said: string[] = [];
  if (broken > 0) said.push(`${count(broken, 'line')} could not be used and ${broken === 1 ? 'is' : 'are'} skipped.`);
  if (repeated > 0) said.push(`${count(repeated, 'event')} stood there twice; the later line counts.`);
  if (missed > 0)
    said.push(`${count(missed, 'event')} came too fast to be recorded and ${missed === 1 ? 'is' : 'are'} missing.`);
  if (redacted > 0) {
    const differing =
      tally.redactedDifferences === 0 ? '' : `; ${count(tally.redactedDifferences, 'difference')} may come from that`;
    said.push(`Secrets were taken out of ${count(redacted, 'event')}${differing}.`);
  }
  return said;
}

function table(head: Row, rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => String(row[column]).length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? String(cell).padEnd(width) : String(cell).padStart(width + 2);
      })
      .join(''),
  );
  return ['', ...lines];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function time(at: number): string {
  return new Date(at).toISOString();
}
