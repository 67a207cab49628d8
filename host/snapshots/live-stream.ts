/** What `GET /api/v1/stream` tells: events that ended, plugins that changed their state, runs that failed. All of it redacted snapshots. */

import type { Subscribable } from '../base/emitter.ts';
import type { StreamKind, StreamQuery, StreamSink } from '../http/stream.ts';
import type { HostView } from '../http/view.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { SupervisionEvents } from '../supervision/events.ts';
import { endedWith } from './event-choice.ts';
import type { EventSnapshots } from './event-snapshots.ts';
import { SettledFeed } from './settled-feed.ts';

export interface LiveStreamOptions {
  readonly ledger: Ledger;
  readonly snapshots: EventSnapshots;
  /** Whoever keeps flight records must have heard of a failed run before. */
  readonly supervision: Subscribable<SupervisionEvents>;
  readonly view: Pick<HostView, 'version' | 'plugins' | 'flightRecords'>;
}

export class LiveStream {
  readonly #options: LiveStreamOptions;
  readonly #feed: SettledFeed;

  constructor(options: LiveStreamOptions) {
    const { ledger, snapshots } = options;
    this.#options = options;
    this.#feed = new SettledFeed({
      ledger,
      write: async (frame, indices) => (await snapshots.all(frame, indices)).map((event) => JSON.stringify(event)),
    });
  }

  /** Returns what stops it. */
  open(query: StreamQuery, sink: StreamSink): () => void {
    const { view } = this.#options;
    const wants = (kind: StreamKind): boolean => query.kinds?.includes(kind) ?? true;
    sink.push({ kind: 'hello', data: JSON.stringify({ version: view.version }) });
    const stops = [
      ...(wants('event') ? [this.#events(query, sink)] : []),
      ...(wants('plugin') ? this.#plugins(query, sink) : []),
      ...(wants('flight-record') ? [this.#flights(query, sink)] : []),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  #events(query: StreamQuery, sink: StreamSink): () => void {
    return this.#feed.listen({
      wants: endedWith(query),
      push: (data) => sink.push({ kind: 'event', data }),
      miss: (count) => sink.miss(count),
    });
  }

  #plugins({ plugins }: StreamQuery, sink: StreamSink): (() => void)[] {
    const { supervision, view } = this.#options;
    const tell = (name: string, snapshot: unknown): void => {
      if (plugins?.includes(name) ?? true) sink.push({ kind: 'plugin', data: JSON.stringify(snapshot) });
    };
    return [
      supervision.on('plugin:state', ({ plugin }) => {
        const snapshot = view.plugins().find(({ name }) => name === plugin);
        if (snapshot !== undefined) tell(plugin, snapshot);
      }),
      supervision.on('plugin:removed', ({ plugin }) => tell(plugin, { name: plugin, state: 'removed' })),
    ];
  }

  #flights({ plugins }: StreamQuery, sink: StreamSink): () => void {
    const { supervision, view } = this.#options;
    return supervision.on('plugin:crashed', ({ plugin }) => {
      const [record] = view.flightRecords(plugin);
      if (record === undefined || !(plugins?.includes(plugin) ?? true)) return;
      sink.push({ kind: 'flight-record', data: JSON.stringify(record) });
    });
  }
}
