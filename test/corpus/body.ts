/**
 * A body of the corpus: one way in which a plugin misbehaves, as data and a small source, and what must become of it.
 * The table of all bodies is the specification of the sandbox; `docs/sandbox.md` is made of the same rows.
 */

import type { ExitReason } from '../../host/sandbox/exit.ts';
import type { World } from './stage.ts';

export const GROUPS = [
  'crash',
  'hang',
  'heap leak',
  'off-heap leak',
  'flood',
  'escape',
  'abort',
  'protocol',
  'lifecycle',
  'healthy',
] as const;

export type Group = (typeof GROUPS)[number];
export type Tier = 'thread' | 'process';

/**
 * What was seen to happen.
 *   stays          the same generation still runs at the end of the watch
 *   denied         every attempt was reported, and none succeeded
 *   open           an attempt succeeded; expected only of what docs/sandbox.md says is not held
 *   refused        it was not started at all: blocked, invalid, or bad configuration
 *   stopped        it was told to stop, and is gone
 *   host died      the whole host process went, and the keeper had it back
 *   recycled:…     the generation ended for that reason, and the next one is due
 */
export type Outcome =
  | 'stays'
  | 'denied'
  | 'open'
  | 'refused'
  | 'stopped'
  | 'host died'
  | 'silent'
  | `recycled:${ExitReason}`;

/** A function whose text is copied into the bundle: it must not reach outside itself, and must be an arrow function. */
export type Deed<Result = unknown> = (world: World) => Result;

export interface Deeds {
  /** Shortly after `start` resolved. */
  readonly run?: Deed;
  readonly initialize?: Deed;
  readonly start?: Deed;
  readonly stop?: Deed;
  readonly healthCheck?: Deed;
}

/** What a body may know about its surroundings; passed as its configuration. */
export interface Place {
  readonly metricsPort: number;
  readonly adminPort: number;
  /** A server of the harness on loopback that accepts and stays silent. */
  readonly echoPort: number;
  /** Nobody listens there. */
  readonly freePort: number;
  /** A unix socket on which the harness listens. */
  readonly unixSocket: string;
  /** A file that no plugin was granted. */
  readonly secret: string;
  /** Two folders that may be granted: one with an ordinary file, one with a link, a FIFO and a socket in it. */
  readonly folder: string;
  readonly trap: string;
}

export interface Body {
  readonly name: string;
  readonly group: Group;
  /** One sentence without a subject: "keeps every object in an array". */
  readonly does: string;
  readonly expect: Readonly<Record<Tier, readonly Outcome[]>>;
  readonly deeds: Deeds;
  /** The whole text of the entry, instead of `deeds`. */
  readonly module?: string;
  /** Asked for in the manifest and granted in plugins.yaml. */
  readonly permissions?: (place: Place) => Record<string, unknown>;
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly rateLimit?: Readonly<Record<string, unknown>>;
  /** How long to look. A body that was contained is not looked at any longer. */
  readonly watchMs?: number;
  /** Told to stop so long after it began. */
  readonly stopAfterMs?: number;
  /** Part of the short run in `npm test`. */
  readonly quick?: boolean;
}

type Options = Partial<Omit<Body, 'name' | 'group' | 'does' | 'expect' | 'deeds'>>;
type Row = readonly [
  name: string,
  does: string,
  deeds: Deed | Deeds | string,
  options?: Options & { expect?: Expected },
];
type Expected = readonly Outcome[] | Readonly<Record<Tier, readonly Outcome[]>>;

/** The bodies of one group; `usual` is expected of a row that says nothing else. */
export function group(name: Group, usual: Expected, rows: readonly Row[]): Body[] {
  return rows.map(([body, does, deeds, { expect = usual, ...options } = {}]) => ({
    name: body,
    group: name,
    does,
    expect: 'thread' in expect ? expect : { thread: expect, process: expect },
    deeds: typeof deeds === 'function' ? { run: deeds } : typeof deeds === 'string' ? {} : deeds,
    ...(typeof deeds === 'string' && { module: deeds }),
    ...options,
  }));
}
