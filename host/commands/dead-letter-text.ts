/** Dead letters for a terminal. What events, agents and Hooks have written is shown, never obeyed. */

import type { DeadLetterDetail } from '../http/view.ts';
import type { DeadLetterList } from './dead-letter-choice.ts';
import { plain, textTable } from './text-table.ts';

export function deadLetterTable({ deadLetters: letters, total }: DeadLetterList): string {
  if (letters.length === 0)
    return total === 0 ? 'There are no dead letters.\n' : `No such one among ${total} dead letters.\n`;
  const header = ['ID', 'DIED', 'AGENT', 'HOOK', 'RESOURCE', 'ATTEMPTS', 'CODE'];
  const rows = letters.map(({ id, diedAt, agent, hook, namespace, resourceName, attempts, code }) => [
    id,
    second(diedAt),
    agent,
    hook,
    place(namespace, resourceName),
    String(attempts),
    code,
  ]);
  const more = total > letters.length ? `\n${letters.length} of ${total} dead letters, the newest first.\n` : '\n';
  return `${textTable(header, rows)}${more}`;
}

export function deadLetterText(letter: DeadLetterDetail): string {
  const { firstAttemptAt, lastAttemptAt, redrivenAt, attempts } = letter;
  const span =
    firstAttemptAt === null ? '' : `, from ${second(firstAttemptAt)} to ${second(lastAttemptAt ?? firstAttemptAt)}`;
  const facts: readonly (readonly [string, string])[] = [
    ['id', letter.id],
    ['agent', letter.agent],
    ['hook', letter.hook],
    ['event', `${letter.eventId} (${letter.eventType})`],
    ['about', place(letter.namespace, letter.resourceName)],
    ['accepted', second(letter.acceptedAt)],
    ...(redrivenAt === null ? [] : [['sent again', second(redrivenAt)] as const]),
    ['died', second(letter.diedAt)],
    ['attempts', `${attempts}${span}`],
    ['code', letter.code],
    ['reason', letter.reason],
  ];
  const lines = facts.map(([name, value]) => `${`${name}:`.padEnd(12)}${plain(value)}`);
  const prompt = letter.prompt.split('\n').map((line) => `  ${plain(line)}`);
  return `${[...lines, 'prompt:', ...prompt].join('\n')}\n`;
}

function place(namespace: string, resourceName: string): string {
  return namespace === '' ? resourceName : `${namespace}/${resourceName}`;
}

/** `2026-03-01T02:59:58.684Z` to the second. */
function second(time: string): string {
  return `${time.slice(0, 19)}Z`;
}
