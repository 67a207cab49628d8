/** The bundles as they may be used now: one that is still being written is represented by what stood there before. */

import type { Clock } from '../../ipc/clock.ts';
import {
  type BrokenBundle,
  type Bundle,
  type BundleFolder,
  type BundleScan,
  findBundles,
  mergeBundles,
  openBundle,
} from './bundle.ts';
import { BundleSettling } from './bundle-settling.ts';

export interface ShelfView extends BundleScan {
  /** A folder in which no bundle stood before is still being written. */
  readonly isGrowing: boolean;
  /** Milliseconds after which to look again; null when everything has settled. */
  readonly settleInMs: number | null;
  /** The folders of the bundles, to be watched. */
  readonly directories: readonly string[];
}

export interface LookOptions {
  readonly pluginsDirectory: string;
  /** Take everything as it is now, grown or not. */
  readonly takeGrowing: boolean;
}

interface Shelved {
  readonly stamp: string;
  readonly opened: Bundle | BrokenBundle | null;
}

export class BundleShelf {
  readonly #clock: Clock;
  readonly #settling = new BundleSettling();
  /** By path of the folder: what was read when it had last settled. */
  #shelved: ReadonlyMap<string, Shelved> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async look({ pluginsDirectory, takeGrowing }: LookOptions): Promise<ShelfView> {
    const search = await findBundles(pluginsDirectory);
    const settled = this.#observe(search.found);
    const shelved = new Map<string, Shelved>();
    let isGrowing = false;
    for (const found of search.found) {
      const last = this.#shelved.get(found.path);
      if (takeGrowing || found.stamp.kind === 'too-large' || settled.has(found.path)) {
        shelved.set(found.path, take(found, last));
      } else if (last !== undefined) shelved.set(found.path, last);
      else isGrowing = true;
    }
    this.#shelved = shelved;
    const opened = [...shelved.values()].map((one) => one.opened).filter((one) => one !== null);
    const scan = mergeBundles(opened);
    return {
      ...scan,
      problems: [...search.problems, ...scan.problems],
      isGrowing,
      settleInMs: takeGrowing ? null : this.#settling.waitMs(this.#clock.now()),
      directories: search.found.flatMap(({ stamp }) => (stamp.kind === 'ok' ? stamp.folders : [stamp.directory])),
    };
  }

  #observe(found: readonly BundleFolder[]): ReadonlySet<string> {
    const observations = found.flatMap(({ path, stamp }) =>
      stamp.kind === 'ok' ? [{ key: path, stamp: stamp.stamp, changedAt: stamp.changedAt }] : [],
    );
    return this.#settling.observe(observations, { now: this.#clock.now(), wall: this.#clock.wall() });
  }
}

/** Stamped before it is read: whatever changes meanwhile shows in the next stamp. */
function take(found: BundleFolder, last: Shelved | undefined): Shelved {
  const stamp = found.stamp.kind === 'ok' ? found.stamp.stamp : found.stamp.why;
  return last?.stamp === stamp ? last : { stamp, opened: openBundle(found) };
}
