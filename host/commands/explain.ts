/** `khook explain`. What it does is loaded only when it is asked for: the command line stays light. */

import type { Command } from './command.ts';
import { URL_FLAG } from './host-client.ts';

export const explain: Command = {
  name: 'explain',
  summary: 'Tell what became of an event and why, or why a Hook does not fire',
  usage: '(EVENT-ID | --last N | --hook NS/NAME) [flags]',
  positionals: { min: 0, max: 1 },
  flags: [
    { name: 'last', value: 'N', description: 'The last N events; with --hook, how many to look at (default 1000).' },
    { name: 'hook', value: 'NS/NAME', description: 'Why this Hook fires or not, and its nearest misses.' },
    {
      name: 'plugin',
      value: 'NAME',
      multiple: true,
      description: 'Only events of this plugin; may be given several times.',
    },
    {
      name: 'outcome',
      value: 'OUTCOME',
      multiple: true,
      description: 'Only events that ended so; may be given several times.',
    },
    URL_FLAG,
    { name: 'json', description: 'Print JSON, one object a line.' },
  ],
  examples: [
    'khook explain kubernetes-mwyxwxwn-1-4f',
    'khook explain --last 20 --outcome unmatched',
    'khook explain --hook default/pod-monitoring',
  ],
  run: async (invocation) => (await import('./explain-host.ts')).explainHost(invocation),
};
