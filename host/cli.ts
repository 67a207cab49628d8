/** The khook command: finds the subcommand, reads its command line, runs it, and exits with a code that means something. */

import { messageOf } from '../ipc/errors.ts';
import { check } from './commands/check.ts';
import type { Command } from './commands/command.ts';
import { commandHelp, generalHelp, readCommandLine } from './commands/command-line.ts';
import { emit } from './commands/emit.ts';
import { EXIT_CODES, type ExitCode } from './commands/exit-code.ts';
import { record } from './commands/record.ts';
import { replay } from './commands/replay.ts';
import { run } from './commands/run.ts';
import { khookVersion } from './commands/version.ts';
import { didYouMean } from './config/suggest.ts';

export const COMMANDS: readonly Command[] = [run, check, emit, record, replay];

const stdout = (text: string): void => void process.stdout.write(text);
const stderr = (text: string): void => void process.stderr.write(text);

export async function main(args: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const command = COMMANDS.find((candidate) => candidate.name === rest[0]);
    stdout(command === undefined ? generalHelp(COMMANDS) : commandHelp(command));
    return EXIT_CODES.OK;
  }
  if (name === '--version' || name === '-v' || name === 'version') {
    stdout(`khook ${khookVersion()}\n`);
    return EXIT_CODES.OK;
  }
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const names = COMMANDS.map((candidate) => candidate.name);
    const hint = didYouMean(name, names);
    stderr(`khook: unknown command '${name}'${hint === '' ? '' : `; ${hint}`}\n\n${generalHelp(COMMANDS)}`);
    return EXIT_CODES.USAGE;
  }
  const line = readCommandLine(command, rest);
  if (line.kind === 'help') {
    stdout(commandHelp(command));
    return EXIT_CODES.OK;
  }
  if (line.kind === 'bad') {
    stderr(`khook: ${line.message}\n`);
    return EXIT_CODES.USAGE;
  }
  try {
    return await command.run({ flags: line.flags, positionals: line.positionals, args: rest, stdout, stderr });
  } catch (error) {
    stderr(`khook ${name}: ${messageOf(error)}\n`);
    return EXIT_CODES.FAILED;
  }
}

if (import.meta.main) {
  process.exitCode = await main(process.argv.slice(2));
}
