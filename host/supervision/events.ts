/** What supervision says. `generation` counts the runs of one plugin since the host started, from 1. */

import type { LogRecord, MetricRecord } from '../../ipc/messages.ts';
import type { Exit } from '../sandbox/exit.ts';
import type { VitalSigns } from '../sandbox/vessel.ts';
import type { PluginState } from './state.ts';
import type { RefusedStep, Unstopped } from './unstopped.ts';

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
    /** What the ids of its events began with; no other run has the same. */
    readonly id: string;
    readonly generation: number;
    readonly exit: Exit;
    /** Milliseconds until the next start, or null when there will be none. */
    readonly nextStartMs: number | null;
    /** The next start is the one try after a quarantine. Then, and when there is no next start, `plugin:failed` follows. */
    readonly isCrashLoop: boolean;
    /** From its birth to its end. */
    readonly uptimeMs: number;
    /** The last readings, oldest first; empty when none was taken. */
    readonly vitalSigns: readonly VitalSigns[];
  };
  /** Bad configuration, or a crash loop: no restart, or one try after `retryMs`. */
  'plugin:failed': About & { readonly exit: Exit; readonly retryMs: number | null };
  'plugin:stopped': About & {
    readonly generation: number;
    readonly why: string;
    /** It refused to drain or to stop. */
    readonly forced: boolean;
    readonly refused: readonly RefusedStep[];
  };
  /** The host stops and waits no longer for a plugin that could not even be terminated. */
  'plugin:unstopped': Unstopped;
  /** Its next start is due and waits: so many threads of earlier runs were ended and are still there. */
  'plugin:lingering': About & { readonly count: number };
  'plugin:unhealthy': About & { readonly generation: number; readonly detail: string };
  'plugin:recovered': About & { readonly generation: number };
  /** It is well, but what it listens to cannot be reached, by its own word. */
  'plugin:stale': About & { readonly generation: number; readonly detail: string };
  'plugin:fresh': About & { readonly generation: number };
  'plugin:state': About & { readonly from: PluginState; readonly to: PluginState };
  /** It may come a moment after the run has ended, even when the next one has begun. */
  'plugin:log': About & { readonly generation: number; readonly record: LogRecord };
  'plugin:logs-dropped': About & { readonly count: number };
  'plugin:metric': About & { readonly record: MetricRecord };
  /** An event that the plugin's own thread refused to send. */
  'plugin:event-refused': About & { readonly code: string; readonly message: string };
  /** A server did not take the credentials of the connection that it was granted. */
  'plugin:credentials-refused': About;
}
