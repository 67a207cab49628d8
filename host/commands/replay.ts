/** `khook replay`. What it does is loaded only when it is asked for: the command line stays light. */

import type { Command } from './command.ts';

export const replay: Command = {
  name: 'replay',
  summary: 'Run recorded events dry against Hooks and tell what would fire now',
  usage: 'FILE --hooks DIR [flags]',
  positionals: { min: 1, max: 1 },
  flags: [
    { name: 'hooks', value: 'DIR', description: 'Folder with the Hooks to try, as YAML files.' },
    {
      name: 'baseline',
      value: 'DIR',
      description: 'Compare with what these Hooks would do; recorded: with what happened.',
      default: 'recorded',
    },
    {
      name: 'config',
      short: 'c',
      value: 'DIR',
      description: 'Take mappings and settings from this folder.',
      default: 'as recorded',
    },
    { name: 'prompts', description: 'Show what agents would be asked, and how it differs.' },
    { name: 'all', description: 'Show firings that are the same, too.' },
    { name: 'json', description: 'Print JSON, one object a line.' },
  ],
  examples: [
    'khook replay events.ndjson --hooks config/hooks',
    'khook replay events.ndjson --hooks edited --prompts',
    'khook record --last 1000 | khook replay - --hooks edited --baseline config/hooks',
  ],
  run: async (invocation) => (await import('./replay-recording.ts')).replayRecording(invocation),
};
