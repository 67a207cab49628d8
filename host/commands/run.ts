/** `khook run`: the keeper in this process, the host in a child of it. */

import { systemClock } from '../../ipc/clock.ts';
import { keepHost } from '../keeper.ts';
import type { Command } from './command.ts';
import type { ExitCode } from './exit-code.ts';
import { RUN_FLAGS } from './run-options.ts';

export const run: Command = {
  name: 'run',
  summary: 'Run the host: load the plugins, match their events, call agents',
  usage: '[flags]',
  flags: RUN_FLAGS,
  examples: ['khook run', 'khook run --config /etc/khook --agent-url http://localhost:9999/'],
  async run(invocation) {
    // Loaded here and not above: the keeper must stay small, and none of the host's libraries may be able to break it.
    if (invocation.flags['no-keeper'] === true) return (await import('./run-host.ts')).runHost(invocation);
    const code = await keepHost({
      clock: systemClock,
      entry: process.argv[1] ?? '',
      args: ['run', '--no-keeper', ...invocation.args],
      say: (level, msg) => {
        const time = new Date(systemClock.wall()).toISOString();
        invocation.stdout(`${JSON.stringify({ level, time, name: 'keeper', msg })}\n`);
      },
      random: Math.random,
    });
    return code as ExitCode;
  },
};
