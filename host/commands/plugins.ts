/** `khook plugin`: what a running host has loaded, and what each plugin asked for, was granted and uses. */

import type { PluginSnapshot } from '../http/view.ts';
import type { Command, Flag } from './command.ts';
import { URL_FLAG } from './host-client.ts';
import { pluginTable, pluginText } from './plugin-text.ts';
import { printAnswer } from './print-answer.ts';

const FLAGS: readonly Flag[] = [URL_FLAG, { name: 'json', description: 'Print JSON.' }];

const list: Command = {
  name: 'plugin list',
  summary: 'List the plugins of a running host: state, memory, what each asked for, was granted and uses',
  usage: '[flags]',
  flags: FLAGS,
  examples: ['khook plugin list'],
  run: (invocation) =>
    printAnswer<{ readonly plugins: readonly PluginSnapshot[] }>(
      invocation,
      { command: 'plugin list', path: '/api/v1/plugins' },
      ({ plugins }) => pluginTable(plugins),
    ),
};

const show: Command = {
  name: 'plugin show',
  summary: 'Show a plugin: why it does not run, and each permission: asked for, granted, used',
  usage: 'NAME [flags]',
  positionals: { min: 1, max: 1 },
  flags: FLAGS,
  examples: ['khook plugin show webhook'],
  run(invocation) {
    const path = `/api/v1/plugins/${encodeURIComponent(invocation.positionals[0] ?? '')}`;
    return printAnswer<PluginSnapshot>(invocation, { command: 'plugin show', path }, pluginText);
  },
};

export const PLUGIN_COMMANDS: readonly Command[] = [list, show];
