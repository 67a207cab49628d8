/** `khook dead-letters`: what no agent took, of a running host, to look at, to send out again or to forget. */

import type { DeadLetterDetail } from '../http/view.ts';
import { type Command, type Flag, flagText } from './command.ts';
import { type DeadLetterList, deadLetterQuery, workOnDeadLetters } from './dead-letter-choice.ts';
import { deadLetterTable, deadLetterText } from './dead-letter-text.ts';
import { URL_FLAG } from './host-client.ts';
import { printAnswer } from './print-answer.ts';

const FILTERS: readonly Flag[] = [
  { name: 'agent', value: 'NS/NAME', description: 'Only those for this agent.' },
  { name: 'hook', value: 'NS/NAME', description: 'Only those of this Hook.' },
];
const JSON_FLAG: Flag = { name: 'json', description: 'Print JSON.' };

const CHOICE: Pick<Command, 'usage' | 'positionals' | 'flags'> = {
  usage: '(ID... | --all) [flags]',
  positionals: { min: 0, max: Number.POSITIVE_INFINITY },
  flags: [
    { name: 'all', description: 'All of them, or all that --agent and --hook leave.' },
    ...FILTERS,
    URL_FLAG,
    JSON_FLAG,
  ],
};

const list: Command = {
  name: 'dead-letters list',
  summary: 'List the firings that no agent took, newest first',
  usage: '[flags]',
  flags: [
    ...FILTERS,
    { name: 'limit', value: 'N', description: 'How many at most, up to 10000.', default: '100' },
    URL_FLAG,
    JSON_FLAG,
  ],
  examples: ['khook dead-letters list', 'khook dead-letters list --agent kagent/k8s-agent --json'],
  run(invocation) {
    const path = `/api/v1/dead-letters?${deadLetterQuery(invocation, flagText(invocation, 'limit'))}`;
    return printAnswer<DeadLetterList>(invocation, { command: 'dead-letters list', path }, deadLetterTable);
  },
};

const show: Command = {
  name: 'dead-letters show',
  summary: 'Show a dead letter: why it died, and what the agent was to be asked',
  usage: 'ID [flags]',
  positionals: { min: 1, max: 1 },
  flags: [URL_FLAG, JSON_FLAG],
  examples: ['khook dead-letters show 0f1e2d3c-4b5a-4678-8899-aabbccddeeff'],
  run(invocation) {
    const path = `/api/v1/dead-letters/${encodeURIComponent(invocation.positionals[0] ?? '')}`;
    return printAnswer<DeadLetterDetail>(invocation, { command: 'dead-letters show', path }, deadLetterText);
  },
};

const retry: Command = {
  name: 'dead-letters retry',
  summary: 'Send dead letters to their agents again, each under its messageId',
  ...CHOICE,
  examples: [
    'khook dead-letters retry 0f1e2d3c-4b5a-4678-8899-aabbccddeeff',
    'khook dead-letters retry --all --agent kagent/k8s-agent',
  ],
  run: (invocation) =>
    workOnDeadLetters(invocation, {
      command: 'dead-letters retry',
      method: 'POST',
      path: (id) => `/api/v1/dead-letters/${id}/retry`,
      done: 'sent again',
    }),
};

const drop: Command = {
  name: 'dead-letters drop',
  summary: 'Forget dead letters',
  ...CHOICE,
  examples: ['khook dead-letters drop --all --hook default/webhook-demo'],
  run: (invocation) =>
    workOnDeadLetters(invocation, {
      command: 'dead-letters drop',
      method: 'DELETE',
      path: (id) => `/api/v1/dead-letters/${id}`,
      done: 'dropped',
    }),
};

export const DEAD_LETTER_COMMANDS: readonly Command[] = [list, show, retry, drop];
