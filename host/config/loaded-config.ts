/** What a load of the configuration gave. */

import type { PluginsContent } from './config-files.ts';
import type { Hook } from './hook.ts';
import type { Mapping } from './mapping.ts';
import type { Part } from './part.ts';
import type { PluginPlan } from './plugin-plan.ts';
import type { Problem } from './problem.ts';
import type { Settings } from './settings.ts';

export interface LoadedConfig {
  readonly settings: Settings;
  readonly plans: readonly PluginPlan[];
  readonly mappings: readonly Mapping[];
  readonly hooks: readonly Hook[];
  /** Everything that is wrong now, whether it was said before or not. */
  readonly problems: readonly Problem[];
  /** Of what is in force, without secrets: the same on every replica that was given the same. */
  readonly hash: string;
  readonly files: readonly string[];
  /** Folders to watch. */
  readonly directories: readonly string[];
  /** A bundle is still being written: load again after so many milliseconds. null: everything has settled. */
  readonly settleInMs: number | null;
}

/** What was read last; the next reading is judged against it. */
export interface Reading {
  readonly plugins: Part<PluginsContent>;
  readonly mappings: Part<readonly Mapping[]>;
  readonly hooks: Part<readonly Hook[]>;
  readonly stamps: ReadonlyMap<string, string>;
  readonly loaded: LoadedConfig;
}
