/** A replay in words, for a terminal and for a diff in a pull request. */

import { withoutMarks } from '../replay/change.ts';
import type { ReplayedChange, ReplayedEvent } from '../replay/dry-run.ts';
import { eventNames } from '../replay/event-names.ts';
import type { BrokenLine } from '../replay/recording.ts';
import { plainLine, plainText } from './plain-text.ts';
import { promptDiff } from './prompt-diff.ts';
import type { ReplayEnd, ReplayReport, ReportOptions } from './replay-report.ts';
import { replaySummary } from './replay-summary.ts';

const SIGNS = { new: '+', gone: '-', changed: '~', same: '=' } as const;

export class ReplayText implements ReplayReport {
  readonly #options: ReportOptions;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  broken({ line, problem }: BrokenLine): void {
    this.#options.say(`line ${line} is skipped: ${problem}`);
  }

  event(event: ReplayedEvent): void {
    const shown = event.changes.filter(({ kind }) => kind !== 'same' || this.#options.showsAll);
    if (shown.length === 0) return;
    const lines = shown.flatMap((change) => [`  ${changeLine(change)}`, ...this.#prompt(change)]);
    this.#options.write(`${[eventLine(event), ...lines].join('\n')}\n`);
  }

  end(end: ReplayEnd): void {
    this.#options.write(replaySummary(end));
  }

  #prompt({ kind, before, now }: ReplayedChange): string[] {
    if (!this.#options.showsPrompts || kind === 'gone' || now === null || now.prompt === null) return [];
    if (kind !== 'changed' || before === null || before.prompt === null) return quoted(now.prompt.split('\n'));
    const [was, is] = [before.prompt, now.prompt].map(withoutMarks);
    return was === is ? [] : quoted(promptDiff(was ?? '', is ?? ''));
  }
}

function quoted(lines: readonly string[]): string[] {
  return lines.map((line) => `    | ${plainText(line)}`.trimEnd());
}

function eventLine({ event }: ReplayedEvent): string {
  const { id, source, type, internalType, receivedAt } = event;
  const { resourceName, namespace } = eventNames(event);
  const about = namespace === '' ? resourceName : `${namespace}/${resourceName}`;
  const mapped = internalType === '' ? '' : ` (${internalType})`;
  const at = new Date(receivedAt).toISOString();
  return plainLine(`${at} ${id} ${source}:${type}${mapped}${about === '' ? '' : ` about ${about}`}`);
}

function changeLine({ kind, hook, before, now, what, why }: ReplayedChange): string {
  const { configuration = 0, agent = '' } = now ?? before ?? {};
  const name = `${SIGNS[kind]} ${hook}${configuration === 0 ? '' : `[${configuration}]`}`;
  const problem = now === null || now.problem === null ? '' : `; its prompt is the raw text: ${now.problem}`;
  switch (kind) {
    case 'new':
      return plainLine(`${name} fires now, for ${agent}; before: ${why}${problem}`);
    case 'gone':
      return plainLine(`${name} does not fire any more: ${why}`);
    case 'changed':
      return plainLine(`${name} fires as before, but: ${what.join('; ')}`);
    case 'same':
      return plainLine(`${name} fires${before === null ? '' : ' as before'}, for ${agent}`);
  }
}
