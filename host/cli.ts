/** The khook command: finds the subcommand, reads its command line, runs it, and exits with a code that means something. */

import { messageOf } from '../ipc/errors.ts';
import { check } from './commands/check.ts';
import type { Command } from './commands/command.ts';
import { chooseCommand, commandHelp, generalHelp, groupHelp, readCommandLine } from './commands/command-line.ts';
import { DEAD_LETTER_COMMANDS } from './commands/dead-letters.ts';
import { doctor } from './commands/doctor.ts';
import { emit } from './commands/emit.ts';
import { EXIT_CODES, type ExitCode } from './commands/exit-code.ts';
import { explain } from './commands/explain.ts';
import { PLUGIN_COMMANDS } from './commands/plugins.ts';
import { record } from './commands/record.ts';
import { replay } from './commands/replay.ts';
import { run } from './commands/run.ts';
import { khookVersion } from './commands/version.ts';

export const COMMANDS: readonly Command[] = [
  run,
  check,
  doctor,
  emit,
  explain,
  record,
  replay,
  ...DEAD_LETTER_COMMANDS,
  ...PLUGIN_COMMANDS,
];

const stdout = (text: string): void => void process.stdout.write(text);
const stderr = (text: string): void => void process.stderr.write(text);

export async function main(args: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    stdout(helpFor(rest));
    return EXIT_CODES.OK;
  }
  if (name === '--version' || name === '-v' || name === 'version') {
    stdout(`khook ${khookVersion()}\n`);
    return EXIT_CODES.OK;
  }
  const choice = chooseCommand(COMMANDS, args);
  if (choice.kind === 'unknown') {
    const hint = choice.hint === '' ? '' : `; ${choice.hint}`;
    stderr(`khook: unknown command '${choice.name}'${hint}\n\n${choice.help}`);
    return EXIT_CODES.USAGE;
  }
  if (choice.kind === 'group') {
    const isAsked = rest.length > 0;
    (isAsked ? stdout : stderr)(groupHelp(choice.name, choice.commands));
    return isAsked ? EXIT_CODES.OK : EXIT_CODES.USAGE;
  }
  const { command } = choice;
  const line = readCommandLine(command, choice.args);
  if (line.kind === 'help') {
    stdout(commandHelp(command));
    return EXIT_CODES.OK;
  }
  if (line.kind === 'bad') {
    stderr(`khook: ${line.message}\n`);
    return EXIT_CODES.USAGE;
  }
  try {
    return await command.run({ flags: line.flags, positionals: line.positionals, args: choice.args, stdout, stderr });
  } catch (error) {
    stderr(`khook ${command.name}: ${messageOf(error)}\n`);
    return EXIT_CODES.FAILED;
  }
}

function helpFor(words: readonly string[]): string {
  const choice = chooseCommand(COMMANDS, words);
  if (choice.kind === 'unknown') return words.length === 0 ? generalHelp(COMMANDS) : choice.help;
  return choice.kind === 'group' ? groupHelp(choice.name, choice.commands) : commandHelp(choice.command);
}

if (import.meta.main) {
  process.exitCode = await main(process.argv.slice(2));
}
