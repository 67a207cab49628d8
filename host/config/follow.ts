/** Keeps the configuration in force in step with the disk: loader and watch put together. */

import { type Clock, delay, type Timer } from '../../ipc/clock.ts';
import { SETTLE_MS } from './bundle-settling.ts';
import type { LoadedConfig } from './loaded-config.ts';
import type { ConfigLoader } from './loader.ts';
import { type ConfigWatch, watchConfig } from './watch.ts';

export interface FollowOptions {
  readonly loader: ConfigLoader;
  readonly clock: Clock;
  readonly debounceMs?: number;
  readonly pollMs?: number;
  /** Called after every load but the first, also when nothing changed: plans are compared by fingerprint. Must not throw. */
  readonly onLoaded: (config: LoadedConfig) => void;
}

export interface ConfigFollower {
  /** What is in force. */
  readonly current: LoadedConfig;
  /** Loads now: something that is not on the disk changed, such as the connection to the cluster. */
  reload(): Promise<LoadedConfig>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** At the start bundles that are being copied or unpacked at that very moment are waited for, though not for ever. */
const MAX_SETTLE_ROUNDS = 4;

/** Resolves with the first configuration in force. Rejects when nothing could be read at all. */
export async function followConfig(options: FollowOptions): Promise<ConfigFollower> {
  const follower = new Follower(options);
  try {
    await follower.open();
  } catch (error) {
    await follower.close();
    throw error;
  }
  return follower;
}

class Follower implements ConfigFollower {
  readonly #options: FollowOptions;
  #current: LoadedConfig | null = null;
  #watch: ConfigWatch | null = null;
  #forget: () => void = () => undefined;
  #settle: Timer | null = null;
  #isClosed = false;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  get current(): LoadedConfig {
    if (this.#current === null) throw new Error('the configuration was not loaded yet');
    return this.#current;
  }

  /** Watches first and reads then, so that nothing falls between. */
  async open(): Promise<void> {
    const { loader, clock, debounceMs, pollMs } = this.#options;
    this.#watch = await watchConfig({
      directories: () => loader.directories,
      clock,
      ...(debounceMs !== undefined && { debounceMs }),
      ...(pollMs !== undefined && { pollMs }),
      onChange: async () => {
        await this.reload();
      },
    });
    // Rejects only when nothing could be read at all, which the load below says too.
    this.#forget = loader.hooks.onChange(() => void this.reload().catch(() => undefined));
    let config = await loader.load({ settledOnly: true });
    for (let round = 1; round < MAX_SETTLE_ROUNDS && config.settleInMs !== null; round += 1) {
      // What failed is tried again after longer than that.
      await delay(clock, Math.min(config.settleInMs, SETTLE_MS));
      config = await loader.load({ settledOnly: true });
    }
    this.#take(config);
  }

  async reload(): Promise<LoadedConfig> {
    const config = await this.#options.loader.load({ settledOnly: true });
    if (this.#isClosed) return config;
    const isFirst = this.#current === null;
    this.#take(config);
    if (!isFirst) this.#options.onLoaded(config);
    return config;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#settle?.cancel();
    this.#forget();
    await this.#watch?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #take(config: LoadedConfig): void {
    this.#current = config;
    this.#settle?.cancel();
    if (this.#isClosed || config.settleInMs === null) return;
    this.#settle = this.#options.clock.after(config.settleInMs, () => {
      // Cannot reject: there is something in force by now.
      void this.reload();
    });
  }
}
