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
    const { min, max } = command.positionals ?? { min: 0, max: 0 };
    if (positionals.length < min || positionals.length > max) {
      const wanted = max === 0 ? 'no arguments' : `${howMany(min, max)} (${command.usage})`;
      return bad(command, `'khook ${command.name}' takes ${wanted}, got ${positionals.length}`);
    }
    return { kind: 'ok', flags: values as Invocation['flags'], positionals };
  } catch (error) {
    return bad(command, messageOf(error).split('\n', 1)[0] ?? '');
  }
}

export type CommandChoice =
  | { readonly kind: 'command'; readonly command: Command; readonly args: readonly string[] }
  /** Commands that share the first word, of which none was named. */
  | { readonly kind: 'group'; readonly name: string; readonly commands: readonly Command[] }
  /** `help`: which there are. */
  | { readonly kind: 'unknown'; readonly name: string; readonly hint: string; readonly help: string };

/** Which command the first words of a command line name. */
export function chooseCommand(commands: readonly Command[], args: readonly string[]): CommandChoice {
  const [first = '', second = ''] = args;
  const single = commands.find(({ name }) => name === first);
  if (single !== undefined) return { kind: 'command', command: single, args: args.slice(1) };
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length === 0) {
    const names = [...new Set(commands.map(({ name }) => name.split(' ', 1)[0] ?? ''))];
    return { kind: 'unknown', name: first, hint: didYouMean(first, names), help: generalHelp(commands) };
  }
  const named = group.find(({ name }) => name === `${first} ${second}`);
  if (named !== undefined) return { kind: 'command', command: named, args: args.slice(2) };
  if (second === '' || second === '--help' || second === '-h') return { kind: 'group', name: first, commands: group };
  const words = group.map(({ name }) => name.slice(first.length + 1));
  const help = groupHelp(first, group);
  return { kind: 'unknown', name: `${first} ${second}`, hint: didYouMean(second, words), help };
}

export function groupHelp(name: string, commands: readonly Command[]): string {
  return [
    'Usage:',
    `  khook ${name} COMMAND [flags]`,
    '',
    'Commands:',
    ...commandList(commands),
    '',
    `Run 'khook ${name} COMMAND --help' for the flags of a command.`,
    '',
  ].join('\n');
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
  return [
    'khook turns cluster events into AI-agent calls.',
    '',
    'Usage:',
    '  khook COMMAND [flags]',
    '',
    'Commands:',
    ...commandList(commands),
    '',
    "Run 'khook COMMAND --help' for the flags of a command, 'khook --version' for the version.",
    '',
  ].join('\n');
}

function commandList(commands: readonly Command[]): string[] {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 3;
  return commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
}

function howMany(min: number, max: number): string {
  const count = max === Number.POSITIVE_INFINITY ? `${min} or more` : min === max ? String(min) : `${min} to ${max}`;
  return count === '1' ? '1 argument' : `${count} arguments`;
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
