/** `khook check`. What it does is loaded only when it is asked for: the command line stays light. */

import type { Command } from './command.ts';
import { RUN_FLAGS } from './run-options.ts';

export const check: Command = {
  name: 'check',
  summary: 'Validate a configuration and its bundles without running anything',
  usage: '[flags]',
  flags: [
    ...RUN_FLAGS.filter(({ name }) => ['config', 'hooks', 'plugins'].includes(name)),
    { name: 'json', description: 'Print the findings as JSON.' },
  ],
  examples: ['khook check', 'khook check --config deploy/config --plugins ./bundles'],
  run: async (invocation) => (await import('./check-configuration.ts')).checkConfiguration(invocation),
};
