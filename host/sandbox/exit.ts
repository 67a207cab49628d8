/** How a generation ends, as data. */

export const EXIT_REASONS = [
  'crash',
  'out_of_memory',
  'leak',
  'hang',
  'flood',
  'exited',
  'unhealthy',
  'failed_start',
  'bad_config',
  'protocol',
  'stopped',
] as const;

export type ExitReason = (typeof EXIT_REASONS)[number];

export interface Exit {
  readonly reason: ExitReason;
  /** One line for the operator: the error's message, the limit that was passed. */
  readonly detail: string;
  /** Stack of the plugin's error, or an empty string. */
  readonly stack: string;
  readonly code: string;
}

/** An exit that no error of the plugin explains. */
export function exitOf(reason: ExitReason, detail: string): Exit {
  return { reason, detail, stack: '', code: '' };
}
