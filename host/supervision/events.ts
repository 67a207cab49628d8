/** What supervision says. `generation` counts the runs of one plugin since the host started, from 1. */

import type { LogRecord, MetricRecord } from '../../ipc/messages.ts';
import type { Exit } from '../sandbox/exit.ts';
import type { PluginState } from './state.ts';

interface About {
  readonly plugin: string;
}

export interface SupervisionEvents {
  'plugin:registered': About & {
    readonly version: string;
    readonly eventTypes: readonly string[];
    readonly isolation: 'thread' | 'process';
    readonly debug: boolean;
  };
  'plugin:removed': About;
  'plugin:blocked': About & { readonly why: 'grants' | 'connection'; readonly reason: string; readonly remedy: string };
  'plugin:disabled': About;
  'plugin:starting': About & { readonly generation: number };
  'plugin:ready': About & { readonly generation: number; readonly bootMs: number };
  /** A run ended that nobody asked to end. */
  'plugin:crashed': About & {
    readonly generation: number;
    readonly exit: Exit;
    /** Milliseconds until the next start, or null when there will be none. */
    readonly nextStartMs: number | null;
  };
  /** No more restarts: bad configuration, or a crash loop. */
  'plugin:failed': About & { readonly exit: Exit; readonly retryMs: number | null };
  'plugin:stopped': About & { readonly generation: number; readonly why: string; readonly forced: boolean };
  'plugin:unhealthy': About & { readonly generation: number; readonly detail: string };
  'plugin:recovered': About & { readonly generation: number };
  'plugin:state': About & { readonly from: PluginState; readonly to: PluginState };
  'plugin:log': About & { readonly record: LogRecord };
  'plugin:logs-dropped': About & { readonly count: number };
  'plugin:metric': About & { readonly record: MetricRecord };
  /** An event that the plugin's own thread refused to send. */
  'plugin:event-refused': About & { readonly code: string; readonly message: string };
}
