/**
 * What `GET /api/v1/recording` tells: by what events are judged, what is remembered of them, and each that ends from now on. Events are
 * written in the matcher pool; of what is remembered a listener gets no more at a time than it reads.
 */

import type { Clock } from '../../ipc/clock.ts';
import type { PluginPlan } from '../config/plugin-plan.ts';
import type { Settings } from '../config/settings.ts';
import type { RecordingQuery, StreamSink } from '../http/stream.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerFrame } from '../ledger/ledger-frame.ts';
import type { Matcher } from '../match/pool.ts';
import { RECORDING_FORMAT, type RecordedConfig } from '../replay/recording-line.ts';
import { endedWith } from './event-choice.ts';
import { recordedEvent } from './recorded-event.ts';
import { SettledFeed } from './settled-feed.ts';

export interface RecordingsOptions {
  readonly rooms: { readonly ledger: Ledger; readonly matcher: Matcher; readonly clock: Clock };
  /** Those the rooms were built with. */
  readonly settings: Settings;
  readonly version: string;
  /** Tells one host process from another. */
  readonly run: string;
  readonly plans: () => readonly PluginPlan[];
  /** Somebody listens: with `raw`, he is shown secrets. */
  readonly onOpened: (query: RecordingQuery) => void;
}

interface Remembered {
  /** Weak: a listener that reads slowly must not keep what the trail has let go. */
  readonly frame: WeakRef<LedgerFrame>;
  readonly indices: readonly number[];
}

export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #feeds: { readonly raw: SettledFeed; readonly redacted: SettledFeed };

  constructor(options: RecordingsOptions) {
    const { ledger } = options.rooms;
    this.#options = options;
    this.#feeds = {
      raw: new SettledFeed({ ledger, write: (frame, indices) => this.#write(frame, indices, true) }),
      redacted: new SettledFeed({ ledger, write: (frame, indices) => this.#write(frame, indices, false) }),
    };
  }

  /** Returns what stops it. */
  open(query: RecordingQuery, sink: StreamSink): () => void {
    this.#options.onOpened(query);
    let told = '';
    const tellConfig = (): void => {
      const { at, order, ...lasting } = this.#config(query.raw);
      const text = JSON.stringify(lasting);
      // The rules are made anew after every look at the disk, also when nothing has changed.
      if (text !== told) sink.push({ kind: 'config', data: `${text.slice(0, -1)},"order":${order},"at":"${at}"}` });
      told = text;
    };
    tellConfig();
    // At once: what ends while the remembered ones are told must come to this listener too, and only once.
    const remembered = this.#choose(query);
    const stops = query.follow
      ? [this.#follow(query, sink), this.#options.rooms.matcher.on('rules:changed', tellConfig)]
      : [];
    void this.#tell(remembered, query, sink).then(() => {
      if (!query.follow) sink.end();
    });
    return () => {
      for (const stop of stops) stop();
    };
  }

  #follow(query: RecordingQuery, sink: StreamSink): () => void {
    const chosen = endedWith(query);
    return this.#feeds[query.raw ? 'raw' : 'redacted'].listen({
      wants: (frame, index) => frame.origin.isRestored !== true && chosen(frame, index),
      push: (data) => sink.push({ kind: 'event', data }),
      miss: (count) => sink.miss(count),
    });
  }

  /** Oldest first. What has no outcome yet is told when it has, if somebody waits for that. */
  #choose(query: RecordingQuery): Remembered[] {
    const chosen = endedWith(query);
    const byFrame = new Map<LedgerFrame, number[]>();
    let left = query.last;
    for (const { frame, index } of this.#options.rooms.ledger.newestFirst()) {
      if (left === 0) break;
      const isInFlight = frame.outcome(index) === null;
      const isJudged = frame.judgement !== null;
      if (isInFlight ? query.follow || !isJudged : query.inFlight) continue;
      if (frame.origin.isRestored === true || !chosen(frame, index)) continue;
      const indices = byFrame.get(frame);
      if (indices === undefined) byFrame.set(frame, [index]);
      else indices.push(index);
      left -= 1;
    }
    return [...byFrame]
      .map(([frame, indices]) => ({ frame: new WeakRef(frame), indices: indices.toReversed() }))
      .reverse();
  }

  /** Never rejects. */
  async #tell(remembered: readonly Remembered[], { raw }: RecordingQuery, sink: StreamSink): Promise<void> {
    for (const { frame, indices } of remembered) {
      if (!(await sink.ready())) return;
      const known = frame.deref();
      const texts = known === undefined ? null : await this.#write(known, indices, raw).catch(() => null);
      if (texts === null) sink.miss(indices.length);
      for (const data of texts ?? []) {
        if (!(await sink.ready())) return;
        sink.push({ kind: 'event', data });
      }
    }
  }

  async #write(frame: LedgerFrame, indices: readonly number[], isRaw: boolean): Promise<readonly string[]> {
    const texts = await this.#options.rooms.matcher.transcribe(frame.frame, indices, isRaw);
    return indices.map((index, n) => recordedEvent(frame, index, { members: texts[n] ?? '"line":""', isRaw }));
  }

  #config(isRaw: boolean): RecordedConfig {
    const { rooms, settings, version, run, plans } = this.#options;
    const { mappings, hooks, controllerNamespace, maxPromptLength } = rooms.matcher.rules;
    const plugins = plans().flatMap((plan) => {
      if (plan.kind !== 'run') return [];
      const { eventTypes, namespaces } = plan.spec;
      return [[plan.name, { eventTypes, namespaces }] as const];
    });
    return {
      kind: 'config',
      format: RECORDING_FORMAT,
      khook: version,
      run,
      at: new Date(rooms.clock.wall()).toISOString(),
      order: rooms.ledger.judged,
      redacted: !isRaw,
      controllerNamespace,
      dedupWindowMs: settings.dedup.windowMs,
      maxPromptLength,
      plugins: Object.fromEntries(plugins),
      mappings,
      // Where a Hook was read is nobody's business elsewhere.
      hooks: hooks.map(({ origin, ...hook }) => hook),
    };
  }
}
