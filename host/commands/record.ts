/** `khook record`. What it does is loaded only when it is asked for: the command line stays light. */

import type { Command } from './command.ts';

export const record: Command = {
  name: 'record',
  summary: 'Write the events of a running host and what became of them as NDJSON',
  usage: '[flags]',
  flags: [
    { name: 'for', value: 'DURATION', description: 'End after so long, such as 10m.', default: 'until Ctrl-C' },
    { name: 'limit', value: 'N', description: 'End after so many events.' },
    { name: 'last', value: 'N', description: 'Write the last N events that the host remembers, and end.' },
    { name: 'follow', short: 'f', description: 'With --last: go on with what comes.' },
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
    { name: 'raw', description: 'Leave secrets in.' },
    { name: 'url', value: 'URL', description: "The host's loopback port.", default: 'http://127.0.0.1:6060' },
  ],
  examples: [
    'khook record > events.ndjson',
    'khook record --last 1000 > events.ndjson',
    'khook record --for 10m --plugin kubernetes --outcome delivered --outcome duplicate',
  ],
  run: async (invocation) => (await import('./record-events.ts')).recordEvents(invocation),
};
