/**
 * What a run of a plugin uses of what it may, as its own runtime counts it: of a thread in cells that the host reads, of a process in
 * its readings. The host shows these numbers and decides nothing by them.
 */

export interface Uses {
  /** Open now, those it listens with among them. */
  readonly sockets: number;
  readonly files: number;
  /** TCP connections that it began, since its birth. */
  readonly connections: number;
  /** A bit for each port of `NetworkPolicy.listen` that it listens on now; the first is bit 0. */
  readonly listening: number;
  /** What it was refused since its birth: of the network, of files, and all else (a limit, a part of Node). */
  readonly deniedNetwork: number;
  readonly deniedFiles: number;
  readonly deniedOther: number;
}

/** In the order of the cells. */
export const USES = [
  'sockets',
  'files',
  'connections',
  'listening',
  'deniedNetwork',
  'deniedFiles',
  'deniedOther',
] as const satisfies readonly (keyof Uses)[];

/** One number for each bit of `listening`; ports behind these are not told. */
export const MAX_LISTENING = 31;

export const NO_USES: Uses = readUses(new Int32Array(USES.length));

/** Counts go round at 2³². */
export function readUses(cells: Int32Array): Uses {
  return Object.fromEntries(USES.map((name, cell) => [name, Atomics.load(cells, cell) >>> 0])) as unknown as Uses;
}

export function isUses(value: unknown): value is Uses {
  if (typeof value !== 'object' || value === null) return false;
  const given = value as Partial<Record<string, unknown>>;
  return USES.every((name) => Number.isInteger(given[name]) && (given[name] as number) >= 0);
}
