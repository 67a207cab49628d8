/** What a policy finds when it does not find a plugin healthy. */

import type { ExitReason } from './exit.ts';

export interface Verdict {
  readonly reason: Extract<ExitReason, 'leak' | 'out_of_memory' | 'hang' | 'flood'>;
  /** What was measured and what the limit is: the line that the operator reads. */
  readonly detail: string;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / (1024 * 1024))} MB`;
}

/** `2.1 s`, `3 s`. */
export function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}
