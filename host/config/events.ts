/** What the config room says. */

import type { Problem } from './problem.ts';

export interface ConfigEvents {
  'config:loaded': {
    readonly hash: string;
    readonly plugins: number;
    readonly mappings: number;
    readonly hooks: number;
  };
  /** Files changed, were read again and are in force. */
  'config:reloaded': { readonly hash: string; readonly changed: readonly string[] };
  /** A file as a whole could not be used: what was in force before stays in force. */
  'config:rejected': { readonly file: string };
  'config:problem': Problem;
  /** Nothing is wrong, but a reader of the log will want to know: mappings are the built-in ones, a file was ignored. */
  'config:noted': { readonly text: string };
  'mapping:loaded': {
    readonly source: string;
    readonly eventType: string;
    readonly internalType: string;
    readonly severity: string;
    readonly enabled: boolean;
  };
  'mappings:loaded': { readonly file: string; readonly count: number };
  'hooks:loaded': { readonly place: string; readonly count: number; readonly names: readonly string[] };
}
