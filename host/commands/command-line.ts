/** Reads a command line against the table of a command, and writes its help from the same table. Pure. */

import { parseArgs } from 'node:util';
import { messageOf } from '../../ipc/errors.ts';
import { didYouMean } from '../config/suggest.ts';
import type { Command, Flag, Invocation } from './command.ts';

export type CommandLine =
  | { readonly kind: 'ok'; readonly flags: Invocation['flags']; readonly positionals: readonly string[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'bad'; readonly message: string };

export function readCommandLine(command: Command, args: readonly string[]): CommandLine {
  if (args.includes('--help') || args.includes('-h')) return { kind: 'help' };
  const unknown = args.find((arg) => arg.startsWith('--') && arg !== '--' && !isKnown(command.flags, arg));
  if (unknown !== undefined) {
    const name = unknown.slice(2).split('=', 1)[0] ?? '';
    const names = command.flags.map((flag) => flag.name);
    return bad(command, `unknown flag --${name}${after(didYouMean(name, names))}`);
  }
  try {
    const options = Object.fromEntries(
      command.flags.map((flag) => [
        flag.name,
        {
          type: flag.value === undefined ? ('boolean' as const) : ('string' as const),
          multiple: flag.multiple === true,
          ...(flag.short === undefined ? {} : { short: flag.short }),
        },
      ]),
    );
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    if (positionals.length !== command.positionals) {
      const wanted = command.positionals === 0 ? 'no arguments' : `${command.positionals} arguments (${command.usage})`;
      return bad(command, `'khook ${command.name}' takes ${wanted}, got ${positionals.length}`);
    }
    return { kind: 'ok', flags: values as Invocation['flags'], positionals };
  } catch (error) {
    return bad(command, messageOf(error).split('\n', 1)[0] ?? '');
  }
}

export function commandHelp(command: Command): string {
  const lines = [
    `${command.summary}.`,
    '',
    'Usage:',
    `  khook ${command.name} ${command.usage}`.trimEnd(),
    '',
    'Flags:',
  ];
  const flags: Flag[] = [...command.flags, { name: 'help', short: 'h', description: 'Show this text.' }];
  const left = flags.map((flag) => {
    const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
    return `  ${short}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
  });
  const width = Math.max(...left.map((text) => text.length)) + 2;
  flags.forEach((flag, index) => {
    const notes = [
      flag.default === undefined ? '' : ` [default: ${flag.default}]`,
      flag.variable === undefined ? '' : ` [env: ${flag.variable}]`,
    ].join('');
    lines.push(`${(left[index] ?? '').padEnd(width)}${flag.description}${notes}`);
  });
  if (command.examples.length > 0) lines.push('', 'Examples:', ...command.examples.map((example) => `  ${example}`));
  return `${lines.join('\n')}\n`;
}

export function generalHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length)) + 3;
  return [
    'khook turns cluster events into AI-agent calls.',
    '',
    'Usage:',
    '  khook COMMAND [flags]',
    '',
    'Commands:',
    ...commands.map((command) => `  ${command.name.padEnd(width)}${command.summary}`),
    '',
    "Run 'khook COMMAND --help' for the flags of a command, 'khook --version' for the version.",
    '',
  ].join('\n');
}

function isKnown(flags: readonly Flag[], arg: string): boolean {
  const name = arg.slice(2).split('=', 1)[0];
  return flags.some((flag) => flag.name === name);
}

function bad(command: Command, message: string): CommandLine {
  return { kind: 'bad', message: `${message}\nRun 'khook ${command.name} --help' for its usage.` };
}

function after(hint: string): string {
  return hint === '' ? '' : `; ${hint}`;
}
