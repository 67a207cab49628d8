/** What shall become of each plugin: the bundles found, seen through plugins.yaml. Data; made by `planPlugins`, carried out by supervision. */

import type { Permissions, PluginLimits, RateLimit } from './permissions.ts';
import type { Problem } from './problem.ts';

/** Everything a vessel needs to run one plugin. Two specs with the same fingerprint are the same: nothing restarts. */
export interface PluginSpec {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** Real path of the bundle. */
  readonly directory: string;
  /** The archive that it was unpacked from, as the user knows it; absent: it is a folder. Not part of the fingerprint. */
  readonly archive?: string;
  /** Real path of the entry file, inside `directory`. */
  readonly entry: string;
  /** Changes when the bundle's files or any resolved setting of the plugin change. */
  readonly fingerprint: string;
  readonly eventTypes: readonly string[];
  /** Defaults filled in, placeholders expanded, validated. May hold secrets: never logged. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly permissions: Permissions;
  readonly limits: PluginLimits;
  readonly rateLimit: RateLimit;
  /** Namespaces whose Hooks may see this plugin's events that carry none; null = all. */
  readonly namespaces: readonly string[] | null;
  readonly required: boolean;
  readonly debug: boolean;
  readonly isolation: 'thread' | 'process';
  readonly healthCheckIntervalMs: number;
}

/** For people to look at. Not part of the fingerprint: a plugin that is granted more than it asks for runs on as it does. */
export interface PluginAccess {
  readonly asked: Permissions;
  readonly granted: Permissions;
  /** The variables among those asked for and granted that the host has: the plugin sees these. */
  readonly environment: readonly string[];
}

export type PluginPlan =
  | {
      readonly kind: 'run';
      readonly name: string;
      readonly version: string;
      readonly spec: PluginSpec;
      readonly access?: PluginAccess;
    }
  | { readonly kind: 'disabled'; readonly name: string; readonly version: string }
  | {
      readonly kind: 'blocked';
      readonly name: string;
      readonly version: string;
      readonly why: 'grants' | 'connection';
      /** One sentence. */
      readonly reason: string;
      /** YAML or commands to paste that would unblock it. */
      readonly remedy: string;
      readonly access?: PluginAccess;
      readonly required: boolean;
    }
  | {
      readonly kind: 'invalid';
      readonly name: string;
      readonly version: string;
      readonly problems: readonly Problem[];
      readonly required: boolean;
    };

/** True when nothing of the plugin needs to change. */
export function isSamePlan(a: PluginPlan, b: PluginPlan): boolean {
  if (a.kind === 'run' && b.kind === 'run') return a.spec.fingerprint === b.spec.fingerprint;
  return a.kind === b.kind && a.kind !== 'run' && JSON.stringify(a) === JSON.stringify(b);
}
