/** Keeps what the user wrote in force: loads it, hands rules to the matcher and plans to supervision, and does so again whenever a folder changes. */

import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../ipc/clock.ts';
import type { Activity } from './activity.ts';
import type { LoadedConfig } from './config/loaded-config.ts';
import type { ConfigLoader } from './config/loader.ts';
import { type ConfigWatch, watchConfig } from './config/watch.ts';
import type { Matcher } from './match/pool.ts';
import type { Plugins } from './supervision/plugins.ts';

export interface ConfigInForceOptions {
  readonly loader: ConfigLoader;
  readonly matcher: Matcher;
  readonly plugins: Plugins;
  readonly activity: Activity;
  readonly clock: Clock;
  /** Hooks of this namespace may look into others. */
  readonly controllerNamespace: string;
  readonly onError: (error: unknown) => void;
  /** Settings that changed and that only the next start takes up. */
  readonly onDeferred: (names: readonly string[]) => void;
}

/** The rooms were built with these. */
const FIXED_SETTINGS = ['shutdownGraceMs', 'dedup', 'bus', 'delivery', 'trail'] as const;

export class ConfigInForce {
  readonly #options: ConfigInForceOptions;
  #config: LoadedConfig;
  #watch: ConfigWatch | null = null;
  #isClosed = false;

  constructor(config: LoadedConfig, options: ConfigInForceOptions) {
    this.#config = config;
    this.#options = options;
  }

  get config(): LoadedConfig {
    return this.#config;
  }

  /** Resolves when what was loaded is in force and the folders are watched. */
  async open(): Promise<void> {
    const { loader, clock, onError } = this.#options;
    await this.#apply();
    this.#watch = await watchConfig({
      directories: () => loader.directories,
      clock,
      onChange: () => this.#reload().catch(onError),
    });
    // What was written between the first load and the watch.
    await this.#reload();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#watch?.close();
  }

  async #reload(): Promise<void> {
    const { loader, clock, onError, onDeferred } = this.#options;
    const before = this.#config.settings;
    this.#config = await loader.load({ settledOnly: true });
    if (this.#isClosed) return;
    const deferred = FIXED_SETTINGS.filter((name) => !isDeepStrictEqual(before[name], this.#config.settings[name]));
    if (deferred.length > 0) onDeferred(deferred);
    await this.#apply();
    const { settleInMs } = this.#config;
    // A bundle that is still being copied says nothing more once it is complete: look again then.
    if (settleInMs !== null) clock.after(settleInMs, () => void (this.#isClosed || this.#reload().catch(onError)));
  }

  async #apply(): Promise<void> {
    const { matcher, plugins, activity, controllerNamespace } = this.#options;
    const { hooks, mappings, plans, settings } = this.#config;
    const scopes = plans.flatMap((plan) => (plan.kind === 'run' ? [[plan.name, plan.spec.namespaces] as const] : []));
    const problems = matcher.setRules({
      mappings,
      hooks,
      controllerNamespace,
      pluginNamespaces: Object.fromEntries(scopes),
      maxPromptLength: settings.matcher.maxPromptLength,
    });
    activity.readHooks(hooks, problems);
    await plugins.apply(plans);
  }
}
