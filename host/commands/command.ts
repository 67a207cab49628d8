/** A subcommand of khook as data: what it is called, which flags it takes, what it does. Help and documentation are made from it. */

import type { ExitCode } from './exit-code.ts';

export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in the help: `DIR`. Absent: the flag takes none. */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly description: string;
  /** Shown in the help. */
  readonly default?: string;
  /** The environment variable that says the same; the flag wins. */
  readonly variable?: string;
}

export interface Invocation {
  readonly flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly positionals: readonly string[];
  /** The command line as it came, without the command's name. */
  readonly args: readonly string[];
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

export interface Command {
  /** One word, or two: the second chooses among commands that share the first. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** What follows the name in the usage line: `SOURCE TYPE [flags]`. */
  readonly usage: string;
  /** How many positionals it takes; absent: none. */
  readonly positionals?: { readonly min: number; readonly max: number };
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  run(invocation: Invocation): Promise<ExitCode>;
}

/** The value of a flag that takes one, or null. */
export function flagText(invocation: Invocation, name: string): string | null {
  const value = invocation.flags[name];
  return typeof value === 'string' ? value : null;
}

export function flagList(invocation: Invocation, name: string): readonly string[] {
  const value = invocation.flags[name];
  return Array.isArray(value) ? value : [];
}
