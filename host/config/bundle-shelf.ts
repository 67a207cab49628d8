/** The bundles as they may be used now: one that is still being written, or unpacked, is represented by what stood there before. */

import { type Clock, delay } from '../../ipc/clock.ts';
import type { ArchiveLimits } from './archive-policy.ts';
import { type BrokenBundle, type Bundle, type BundleScan, mergeBundles, openArchive, openFolder } from './bundle.ts';
import { type BundleArchive, type BundleFolder, type FoundBundle, findBundles } from './bundle-search.ts';
import { BundleSettling, SETTLE_MS } from './bundle-settling.ts';
import type { Problem } from './problem.ts';
import { UnpackedBundles } from './unpacked-bundles.ts';

export interface ShelfView extends BundleScan {
  /** A bundle is still being written or unpacked where none stood before. */
  readonly isGrowing: boolean;
  /** Milliseconds after which to look again; null when everything has settled. */
  readonly settleInMs: number | null;
  /** The folders of the bundles, to be watched. */
  readonly directories: readonly string[];
}

export interface LookOptions {
  readonly pluginsDirectory: string;
  /** Take everything as it is now, grown or not, and wait until all archives are unpacked. */
  readonly takeGrowing: boolean;
  readonly archives: ArchiveLimits;
}

export interface BundleShelfOptions {
  readonly clock: Clock;
  /** Where archives are unpacked; null: in a temporary folder, until the shelf is closed. */
  readonly dataDirectory: string | null;
}

/** What was read of a folder or archive when it had last settled. */
interface Shelved {
  readonly kind: FoundBundle['kind'];
  readonly stamp: string;
  readonly opened: Bundle | BrokenBundle | null;
  /** Of a later archive that could not take the place of `opened`. */
  readonly problems: readonly Problem[];
}

/** Most archives are unpacked by then; a look that waited for all would keep every other change waiting. */
const PATIENCE_MS = SETTLE_MS;

export class BundleShelf {
  readonly #clock: Clock;
  readonly #settling = new BundleSettling();
  readonly #unpacked: UnpackedBundles;
  /** By path. */
  #shelved: ReadonlyMap<string, Shelved> = new Map();
  /** Name of a plugin → folder of its bundle at the last look. */
  #incumbents: ReadonlyMap<string, string> = new Map();

  constructor(options: BundleShelfOptions) {
    this.#clock = options.clock;
    this.#unpacked = new UnpackedBundles(options);
  }

  async look({ pluginsDirectory, takeGrowing, archives }: LookOptions): Promise<ShelfView> {
    const search = await findBundles(pluginsDirectory);
    const settled = this.#observe(search.found);
    const isReady = (bundle: FoundBundle): boolean =>
      takeGrowing || settled.has(bundle.path) || (bundle.kind === 'folder' && bundle.stamp.kind === 'too-large');
    const ready = search.found.filter(isReady);
    this.#unpacked.observe(ready.filter(isArchive), archives);
    await this.#unpackingEnds(takeGrowing);
    const shelved = new Map<string, Shelved>();
    let isGrowing = false;
    for (const found of search.found) {
      const last = this.#shelved.get(found.path);
      const taken = (ready.includes(found) ? this.#take(found, last) : null) ?? last;
      if (taken === undefined) isGrowing = true;
      else shelved.set(found.path, taken);
    }
    this.#shelved = shelved;
    const all = [...shelved.values()];
    const scan = mergeBundles(
      all.flatMap(({ opened }) => opened ?? []),
      this.#incumbents,
    );
    this.#incumbents = new Map(scan.bundles.map(({ manifest, folder }) => [manifest.name, folder]));
    return {
      ...scan,
      problems: [...search.problems, ...scan.problems, ...all.flatMap(({ problems }) => problems)],
      isGrowing,
      settleInMs: takeGrowing ? null : this.#settleInMs(),
      directories: search.found.flatMap((found) => (found.kind === 'folder' ? foldersOf(found) : [])),
    };
  }

  /** Takes away what was unpacked and is neither of `inUse` nor of an archive that is there. */
  sweep(inUse: () => Iterable<string>): Promise<void> {
    return this.#unpacked.sweep(inUse);
  }

  close(): Promise<void> {
    return this.#unpacked.close();
  }

  #observe(found: readonly FoundBundle[]): ReadonlySet<string> {
    const observations = found.flatMap((bundle) => {
      const key = bundle.path;
      if (bundle.kind === 'archive') return [{ key, stamp: bundle.stamp, changedAt: bundle.changedAt }];
      const { stamp } = bundle;
      return stamp.kind === 'ok' ? [{ key, stamp: stamp.stamp, changedAt: stamp.changedAt }] : [];
    });
    return this.#settling.observe(observations, { now: this.#clock.now(), wall: this.#clock.wall() });
  }

  async #unpackingEnds(forSure: boolean): Promise<void> {
    const ended = new AbortController();
    const settled = this.#unpacked.settled().then(() => ended.abort());
    await (forSure ? settled : delay(this.#clock, PATIENCE_MS, ended.signal).catch(() => undefined));
  }

  #settleInMs(): number | null {
    const waits = [this.#settling.waitMs(this.#clock.now()), this.#unpacked.waitMs()].filter((ms) => ms !== null);
    return waits.length === 0 ? null : Math.min(...waits);
  }

  /** Stamped before it is read: whatever changes meanwhile shows in the next stamp. null: it is still being unpacked. */
  #take(found: FoundBundle, last: Shelved | undefined): Shelved | null {
    if (found.kind === 'folder') {
      const stamp = found.stamp.kind === 'ok' ? found.stamp.stamp : found.stamp.why;
      if (last?.stamp === stamp) return last;
      return { kind: found.kind, stamp, opened: openFolder(found), problems: [] };
    }
    const unpacked = this.#unpacked.of(found);
    if (unpacked.kind === 'working') return null;
    const stamp = unpacked.kind === 'ok' ? unpacked.digest : `${found.stamp}\0${unpacked.why.message}`;
    if (last?.stamp === stamp) return last;
    return keepUsable({ kind: found.kind, stamp, opened: openArchive(found, unpacked), problems: [] }, last);
  }
}

/** An archive that cannot be used changes nothing: what was unpacked before is complete and still there. */
function keepUsable(taken: Shelved, last: Shelved | undefined): Shelved {
  const { opened } = taken;
  const before = last?.kind === 'archive' ? last.opened : null;
  if (opened === null || !('problems' in opened) || before === null || 'problems' in before) return taken;
  const problems = opened.problems.map((problem) => ({
    ...problem,
    message: `${problem.message}; what was unpacked from it before stays in force`,
    subject: before.manifest.name,
  }));
  return { ...taken, opened: before, problems };
}

function isArchive(found: FoundBundle): found is BundleArchive {
  return found.kind === 'archive';
}

function foldersOf({ stamp }: BundleFolder): readonly string[] {
  return stamp.kind === 'ok' ? stamp.folders : [stamp.directory];
}
