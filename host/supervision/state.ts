/** Where one plugin stands. The union carries the data that exists only in that state; `supervisor.ts` alone moves between them. */

import type { Exit } from '../sandbox/exit.ts';

export type PluginState =
  | { readonly kind: 'disabled' }
  | {
      readonly kind: 'blocked';
      readonly why: 'grants' | 'connection';
      readonly reason: string;
      readonly remedy: string;
    }
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly generation: number; readonly since: number }
  | { readonly kind: 'running'; readonly generation: number; readonly since: number }
  | { readonly kind: 'backing-off'; readonly until: number; readonly lastExit: Exit }
  | { readonly kind: 'draining'; readonly generation: number; readonly since: number; readonly why: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly lastExit: Exit; readonly retryAt: number | null };

export type PluginStateKind = PluginState['kind'];
