/** Something a user wrote that khook cannot use: what, where, what was expected, what to do next. Data; the text is made at the edge. */

import type { HostErrorCode } from '../base/errors.ts';

export interface Problem {
  readonly code: HostErrorCode;
  /** One sentence in the guide's words: `configuration 'port' must be between 1 and 65535, got 0`. */
  readonly message: string;
  /** Path of the file as the user knows it. */
  readonly file: string;
  /** From 1; null when the problem is about the file as a whole. */
  readonly line: number | null;
  readonly column: number | null;
  /** Path inside the document: `plugins[0].config.port`; empty for the file as a whole. */
  readonly path: string;
  /** What to do next; empty when the message says it. */
  readonly fix: string;
  /** The entry (plugin, mapping, Hook) that is skipped because of it; empty when the whole file is. */
  readonly subject: string;
}

/** `config/plugins.yaml:5:11: plugins[0].config.port: configuration 'port' must be …; fix` */
export function formatProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== null).join(':');
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const fix = problem.fix === '' ? '' : `; ${problem.fix}`;
  return `${place}: ${path}${problem.message}${fix} [${problem.code}]`;
}
