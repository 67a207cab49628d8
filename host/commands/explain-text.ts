/** Explanations for a terminal. Whatever came out of an event is on one line and moves no cursor. */

import type { EventSnapshot } from '../http/view.ts';
import { eventNames } from '../replay/event-names.ts';
import type { ExplainedHook } from '../replay/explain-hook.ts';
import type { Miss } from '../replay/nearest-misses.ts';
import type { EventRead } from '../replay/recording-line.ts';
import type { Remedy } from '../replay/remedy.ts';
import { eventText } from './event-text.ts';
import type { ExplainedEvent } from './explain-event.ts';
import { plainLine, plainText } from './plain-text.ts';

/** What is refused for its length can be long. */
const MAX_NAME = 200;

export function explainedEventText({ event, outcome, says, fix, paste, hooks, trail }: ExplainedEvent): string {
  const steps = trail.map(
    ({ at, step, detail }) => `${at.slice(11, 23)}  ${step}${detail === '' ? '' : `: ${detail}`}`,
  );
  return [
    eventLine(event),
    ...steps.map((step) => `  ${plainLine(step)}`),
    `  ${outcome}: ${sentence(says)}`,
    ...todo({ fix, paste }, '  '),
    ...hooks.flatMap((hook) => [`  - ${sentence(hook.says)}`, ...todo(hook, '    ')]),
    '',
  ].join('\n');
}

/** Of an event of which nothing but its trail is known: it came before the host was started, or has not been judged. */
export function trailText(event: EventSnapshot): string {
  const text = eventText(event).split('\n').map(plainText).join('\n');
  return `${text}  Only its trail is known: it came before khook was started again, or no matcher has seen it yet.\n`;
}

export function explainedHookText({ hook, says, faults, misses }: ExplainedHook): string {
  return [
    `Hook ${hook}`,
    ...says.map((line) => `  ${plainLine(line)}`),
    ...faults.flatMap((fault) => remedyLines(fault)),
    ...(misses.length === 0 ? [] : ['  Nearest misses:', ...misses.flatMap(missLines)]),
    '',
  ].join('\n');
}

function remedyLines(told: Remedy): string[] {
  return [`  - ${sentence(told.cause)}`, ...todo(told, '    ')];
}

function missLines(miss: Miss): string[] {
  const count = miss.events === 1 ? '' : `, the newest of ${miss.events}`;
  return [`  * ${eventLine(miss.event)}${count}`, ...remedyLines(miss).map((line) => `  ${line}`)];
}

/** With its full stop. */
function sentence(text: string): string {
  const line = plainLine(text);
  return /[.?!…]$/.test(line) ? line : `${line}.`;
}

/** What to do, with what there is to paste below it as it is. */
function todo({ fix, paste }: { readonly fix: string; readonly paste?: string | undefined }, margin: string): string[] {
  if (fix === '') return [];
  if (paste === undefined) return [`${margin}→ ${sentence(fix)}`];
  return [`${margin}→ ${plainLine(fix)}:`, ...paste.split('\n').map((line) => `${margin}    ${plainText(line)}`)];
}

function eventLine(event: EventRead): string {
  const { id, source, type, internalType, receivedAt } = event;
  const { resourceName, namespace } = eventNames(event);
  const name = namespace === '' ? resourceName : `${namespace}/${resourceName}`;
  const about = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
  const mapped = internalType === '' ? '' : ` (${internalType})`;
  const at = new Date(receivedAt).toISOString();
  return plainLine(`${at} ${id} ${source}:${type}${mapped}${about === '' ? '' : ` about ${about}`}`);
}
