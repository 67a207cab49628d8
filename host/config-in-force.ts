/** Hands what the user wrote to the rooms: rules to the matcher, plans to supervision, at the start and after every change. */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../ipc/clock.ts';
import type { RuleProblem } from './cluster/hook-conditions.ts';
import { type ConfigFollower, followConfig } from './config/follow.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import type { ConfigLoader } from './config/loader.ts';
import type { Settings } from './config/settings.ts';
import type { Matcher } from './match/pool.ts';
import type { Activity } from './snapshots/activity.ts';
import type { Plugins } from './supervision/plugins.ts';

export interface ConfigInForceOptions {
  readonly loader: ConfigLoader;
  readonly matcher: Matcher;
  readonly plugins: Plugins;
  readonly activity: Activity;
  readonly clock: Clock;
  /** Told what is wrong with the Hooks in force; null: nobody is. */
  readonly cluster: { judge(problems: ReadonlyMap<string, RuleProblem>): void } | null;
  /** Whether plugins may run. */
  readonly mayRun: () => boolean;
  /** Hooks of this namespace may look into others. */
  readonly controllerNamespace: string;
  readonly onError: (error: unknown) => void;
  /** Settings that changed and that only the next start takes up. */
  readonly onDeferred: (names: readonly string[]) => void;
}

/** The rooms were built with these: name as users write it → what to compare. All other settings take effect at once. */
export const FIXED_SETTINGS: Readonly<Record<string, (settings: Settings) => unknown>> = {
  shutdownGrace: (settings) => settings.shutdownGraceMs,
  dedup: (settings) => settings.dedup,
  bus: (settings) => settings.bus,
  'matcher.threads': (settings) => settings.matcher.threads,
  'matcher.frameTimeout': (settings) => settings.matcher.frameTimeoutMs,
  delivery: (settings) => settings.delivery,
  deadLetters: (settings) => settings.deadLetters,
  trail: (settings) => settings.trail,
};

export interface ConfigInForce extends ConfigFollower {
  /** Puts it into force (again). */
  apply(config: LoadedConfig): Promise<void>;
  /** Files that could not be used as a whole. */
  readonly brokenFiles: ReadonlySet<string>;
  /** Settings that are not those the rooms were built with: the next start takes them up. */
  readonly deferred: ReadonlySet<string>;
}

/** Resolves with the configuration that was read first; call `apply` with it once everything that must hear of it stands. */
export async function keepConfigInForce(options: ConfigInForceOptions): Promise<ConfigInForce> {
  const { loader, clock, onError, onDeferred } = options;
  let settings: Settings | null = null;
  let built: Settings | null = null;
  const deferred = new Set<string>();
  const brokenFiles = new Set<string>();
  loader.events.on('config:rejected', ({ file }) => brokenFiles.add(file));
  loader.events.on('config:reloaded', () => brokenFiles.clear());
  const apply = async (config: LoadedConfig): Promise<void> => {
    const before = settings ?? config.settings;
    settings = config.settings;
    built ??= config.settings;
    const changed = changedFixed(before, settings);
    if (changed.length > 0) onDeferred(changed);
    deferred.clear();
    for (const name of changedFixed(built, settings)) deferred.add(name);
    await hand(config, options);
    // Nothing old runs now. Not waited for: an archive may be under way for long.
    void loader.dropBefore(config);
  };
  const follower = await followConfig({ loader, clock, onLoaded: (config) => void apply(config).catch(onError) });
  return Object.assign(follower, { apply, brokenFiles, deferred });
}

function changedFixed(before: Settings, after: Settings): string[] {
  return Object.entries(FIXED_SETTINGS)
    .filter(([, read]) => !isDeepStrictEqual(read(before), read(after)))
    .map(([name]) => name);
}

async function hand({ hooks, mappings, plans, settings }: LoadedConfig, options: ConfigInForceOptions): Promise<void> {
  const { matcher, plugins, activity, controllerNamespace, cluster, mayRun } = options;
  const scopes = plans.flatMap((plan) => (plan.kind === 'run' ? [[plan.name, plan.spec.namespaces] as const] : []));
  const problems = matcher.setRules({
    mappings,
    hooks,
    controllerNamespace,
    pluginNamespaces: Object.fromEntries(scopes),
    maxPromptLength: settings.matcher.maxPromptLength,
  });
  activity.readHooks(hooks, problems, matcher.filterProblems);
  const unmatched = new Set(matcher.filterProblems.map(({ hook }) => hook));
  const ruleProblems = [...activity.hookProblems].map(([hook, message]): [string, RuleProblem] => {
    return [hook, { kind: unmatched.has(hook) ? 'filter' : 'template', message }];
  });
  cluster?.judge(new Map(ruleProblems));
  await plugins.apply(mayRun() ? plans : []);
}
