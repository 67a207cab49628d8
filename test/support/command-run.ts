/** A command of khook inside the test's own process: what it writes, and its exit code. */

import type { Command } from '../../host/commands/command.ts';
import { readCommandLine } from '../../host/commands/command-line.ts';
import type { ExitCode } from '../../host/commands/exit-code.ts';

export interface CommandRun {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
  /** Of stdout, each parsed. */
  readonly json: <T>() => T[];
}

export async function runCommand(command: Command, args: readonly string[]): Promise<CommandRun> {
  const line = readCommandLine(command, args);
  if (line.kind !== 'ok') throw new Error(`bad command line: ${JSON.stringify(line)}`);
  const written = { stdout: '', stderr: '' };
  const { flags, positionals } = line;
  const code = await command.run({
    ...{ flags, positionals, args },
    stdout: (text) => {
      written.stdout += text;
    },
    stderr: (text) => {
      written.stderr += text;
    },
  });
  const json = <T>(): T[] => {
    const lines = written.stdout.split('\n').filter((text) => text !== '');
    return lines.map((text) => JSON.parse(text) as T);
  };
  return { code, ...written, json };
}
