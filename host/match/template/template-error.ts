/** What is wrong with a template and where. `line` and `column` count from 1. */

import { HostError } from '../../base/errors.ts';

export class TemplateError extends HostError {
  readonly line: number;
  readonly column: number;
  /** The message without its place. */
  readonly reason: string;

  constructor(source: string, offset: number, reason: string) {
    const before = source.slice(0, offset);
    const line = before.split('\n').length;
    const column = offset - (before.lastIndexOf('\n') + 1) + 1;
    super('HOST_ERR_TEMPLATE', `${line}:${column}: ${reason}`, { kind: 'user', details: { line, column } });
    this.name = 'TemplateError';
    this.line = line;
    this.column = column;
    this.reason = reason;
  }
}

/** Text of a user in a message: one line, bounded, quoted. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
