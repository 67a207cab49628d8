/** Reads everything a user wrote, again and again, and holds what is in force. */

import { resolve } from 'node:path';
import { type Clock, systemClock } from '../../ipc/clock.ts';
import { messageOf } from '../../ipc/errors.ts';
import { Emitter, type Subscribable } from '../base/emitter.ts';
import { BundleShelf, type ShelfView } from './bundle-shelf.ts';
import {
  type FileSources,
  mappingsFile,
  type PluginsContent,
  pluginsFile,
  readMappings,
  readPlugins,
} from './config-files.ts';
import type { ConfigEvents } from './events.ts';
import { digest } from './fingerprint.ts';
import type { HookSource } from './hook-source.ts';
import { keepPlans, type RunningPlan } from './last-good.ts';
import { announce } from './load-report.ts';
import type { LoadedConfig, Reading } from './loaded-config.ts';
import type { PluginPlan } from './plugin-plan.ts';
import { planPlugins } from './plugin-planner.ts';
import type { Problem } from './problem.ts';
import { folderLookUp } from './resolve-permissions.ts';

export interface ConfigLoaderOptions extends FileSources {
  readonly hooks: HookSource;
  /** null: settings.pluginDirectory, relative to the working directory at the time the loader is made. */
  readonly pluginsDirectory: string | null;
  /** Why there is no connection to a cluster; null when there is one. Asked at every load. */
  readonly connectionProblem: () => string | null;
  /** Below it archives are unpacked. null, or left out: in a temporary folder, until the loader is closed. */
  readonly dataDirectory?: string | null;
  readonly clock?: Clock;
}

export interface LoadOptions {
  /** Leave bundles out that are still being written. Default: take what is there, which is right for whoever loads once. */
  readonly settledOnly?: boolean;
}

export class ConfigLoader {
  readonly #options: ConfigLoaderOptions;
  readonly #emitter = new Emitter<ConfigEvents>();
  readonly #shelf: BundleShelf;
  readonly #workingDirectory = process.cwd();
  #last: Reading | null = null;
  #running: ReadonlyMap<string, RunningPlan> = new Map();
  #queue: Promise<unknown> = Promise.resolve();
  #loads = 0;
  /** Directory of a bundle → the latest load that found it; of those that may still be in use. */
  readonly #lastFound = new Map<string, number>();
  readonly #numbers = new WeakMap<LoadedConfig, number>();

  constructor(options: ConfigLoaderOptions) {
    const { clock = systemClock, dataDirectory = null } = options;
    this.#options = options;
    this.#shelf = new BundleShelf({ clock, dataDirectory });
  }

  get events(): Subscribable<ConfigEvents> {
    return this.#emitter;
  }

  /** Where Hooks come from. */
  get hooks(): HookSource {
    return this.#options.hooks;
  }

  /** Folders to watch, as far as they are known. */
  get directories(): readonly string[] {
    const { configDirectory, hooks, pluginsDirectory } = this.#options;
    const given = [configDirectory, ...hooks.directories, pluginsDirectory].filter((directory) => directory !== null);
    return this.#last?.loaded.directories ?? given;
  }

  /** One load at a time; a call during another waits for it. Rejects only when there is nothing yet that could stay in force. */
  load(options: LoadOptions = {}): Promise<LoadedConfig> {
    const next = this.#queue.then(() => this.#loadOrKeep(options.settledOnly ?? false));
    this.#queue = next.catch(() => undefined);
    return next;
  }

  /** Nothing runs any more that is older than `config`: what was unpacked for that alone is taken away. Never rejects. */
  async dropBefore(config: LoadedConfig): Promise<void> {
    const number = this.#numbers.get(config) ?? 0;
    for (const [directory, last] of this.#lastFound) if (last < number) this.#lastFound.delete(directory);
    await this.#shelf.sweep(() => this.#lastFound.keys());
  }

  /** Ends what is under way; what was unpacked into a temporary folder is gone then. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shelf.close();
  }

  /** For what nobody foresaw (a disk that fails): it is said, and what is in force stays. */
  async #loadOrKeep(settledOnly: boolean): Promise<LoadedConfig> {
    try {
      return await this.#load(settledOnly);
    } catch (error) {
      if (this.#last === null) throw error;
      const message = `the configuration could not be read again: ${messageOf(error)}`;
      const fix = 'what was read before stays in force; correct the cause and touch a file to have it read again';
      const file = this.#options.configDirectory;
      const place = { line: null, column: null, path: '', subject: '' };
      this.#emitter.emit('config:problem', { code: 'HOST_ERR_CONFIG_FILE', message, file, fix, ...place });
      return this.#last.loaded;
    }
  }

  async #load(settledOnly: boolean): Promise<LoadedConfig> {
    const last = this.#last;
    const plugins = readPlugins(this.#options, last?.plugins ?? null);
    const mappings = readMappings(this.#options, last?.mappings ?? null);
    const hooks = this.#options.hooks.read(last?.hooks ?? null);
    const pluginsDirectory =
      this.#options.pluginsDirectory ?? resolve(this.#workingDirectory, plugins.content.settings.pluginDirectory);
    const { archives } = plugins.content.settings;
    const shelf = await this.#shelf.look({ pluginsDirectory, takeGrowing: !settledOnly, archives });
    this.#loads += 1;
    for (const { directory } of shelf.bundles) this.#lastFound.set(directory, this.#loads);
    const planned = this.#plan(plugins.content, shelf, pluginsDirectory);
    const loaded: LoadedConfig = {
      settings: plugins.content.settings,
      plans: planned.plans,
      mappings: mappings.content,
      hooks: hooks.content,
      problems: [...plugins.problems, ...mappings.problems, ...hooks.problems, ...shelf.problems, ...planned.problems],
      hash: digest([
        [plugins.digest, mappings.digest, hooks.digest],
        planned.plans.map(({ kind, name, version }) => [kind, name, version]),
      ]).slice(0, 16),
      files: [pluginsFile(this.#options), mappingsFile(this.#options)],
      directories: [
        ...new Set([
          this.#options.configDirectory,
          pluginsDirectory,
          ...this.#options.hooks.directories,
          ...shelf.directories,
        ]),
      ],
      settleInMs: shelf.settleInMs,
    };
    const stamps = new Map(shelf.bundles.map((bundle) => [bundle.file, bundle.stamp]));
    const reading: Reading = { plugins, mappings, hooks, stamps, loaded };
    this.#last = reading;
    this.#numbers.set(loaded, this.#loads);
    this.#running = runningPlans(planned.plans, stampsByName(shelf));
    announce(this.#emitter, { before: last, now: reading, sources: this.#options });
    return loaded;
  }

  #plan(
    content: PluginsContent,
    shelf: ShelfView,
    pluginsDirectory: string,
  ): { plans: readonly PluginPlan[]; problems: readonly Problem[] } {
    const { configDirectory, environment, connectionProblem } = this.#options;
    const planned = planPlugins({
      ...content,
      bundles: shelf.bundles,
      broken: shelf.broken,
      isGrowing: shelf.isGrowing,
      searched: [pluginsDirectory],
      running: new Set(this.#running.keys()),
      variables: environment.variables,
      isolation: environment.isolation,
      connectionProblem: connectionProblem(),
      file: pluginsFile(this.#options),
      folder: folderLookUp(configDirectory),
    });
    return { plans: keepPlans(planned.plans, this.#running, stampsByName(shelf)), problems: planned.problems };
  }
}

function stampsByName(shelf: ShelfView): ReadonlyMap<string, string> {
  return new Map(shelf.bundles.map((bundle) => [bundle.manifest.name, bundle.stamp]));
}

function runningPlans(
  plans: readonly PluginPlan[],
  stamps: ReadonlyMap<string, string>,
): ReadonlyMap<string, RunningPlan> {
  const running = new Map<string, RunningPlan>();
  for (const plan of plans) {
    const stamp = stamps.get(plan.name);
    if (plan.kind === 'run' && stamp !== undefined) running.set(plan.name, { plan, stamp });
  }
  return running;
}
