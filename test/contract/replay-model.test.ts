/**
 * The rooms of a host on a clock that a test moves, for days: windows end, budgets run out and come back, agents fail, somebody sets
 * the wall clock. A recording of any part of that, begun and ended anywhere, must be replayed without a difference.
 */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { HostError } from '../../host/base/errors.ts';
import type { Hook } from '../../host/config/hook.ts';
import { DEFAULT_SETTINGS } from '../../host/config/settings.ts';
import type { AgentClient } from '../../host/dispatch/agent-client.ts';
import { Dispatch } from '../../host/dispatch/dispatch.ts';
import { FramePath } from '../../host/dispatch/frame-path.ts';
import { MemoryOutbox } from '../../host/dispatch/memory-outbox.ts';
import { recordDeliveries } from '../../host/dispatch/trail-notes.ts';
import type { StreamSink } from '../../host/http/stream.ts';
import { Ledger } from '../../host/ledger/ledger.ts';
import { Matcher } from '../../host/match/pool.ts';
import { DryRun } from '../../host/replay/dry-run.ts';
import { Recording } from '../../host/replay/recording.ts';
import { Recordings } from '../../host/snapshots/recordings.ts';
import { delay, systemClock } from '../../ipc/clock.ts';
import { FrameBuilder } from '../../ipc/frame.ts';
import { hook, mapping } from '../host/match/fixtures.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { tempDir } from '../support/temp-dir.ts';

const MINUTE_MS = 60_000;
const HOOKS: readonly Hook[] = [
  hook('plain', 'PodRestart'),
  hook('grouped', 'PodRestart', { groupBy: 'workload' }),
  hook('thrifty', 'PodRestart', { callsPerHour: 2 }),
  hook('picky', 'OOMKill', { filter: 'event.message == "m1"', callsPerHour: 3, groupBy: 'workload' }),
  hook('doomed', ['OOMKill', 'oom-kill'], { prompt: 'doomed' }),
];
const RULES = {
  mappings: [mapping('pod-restart', 'PodRestart'), mapping('oom-kill', 'OOMKill')],
  hooks: HOOKS,
  controllerNamespace: 'kagent',
  pluginNamespaces: {},
  maxPromptLength: 10_000,
};

interface Move {
  /** Minutes that pass before. */
  readonly wait: number;
  /** Milliseconds that a busy machine takes between the judging of the frame and its firings. */
  readonly pause: number;
  readonly events: readonly { readonly type: string; readonly name: string; readonly message: string }[];
}

const move: fc.Arbitrary<Move> = fc.record({
  wait: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 12, noNaN: true }), fc.integer({ min: 8, max: 70 })),
  pause: fc.oneof(fc.constant(0), fc.nat(400)),
  events: fc.array(
    fc.record({
      type: fc.constantFrom('pod-restart', 'oom-kill', 'unknown'),
      name: fc.constantFrom('web-0', 'web-1', 'db-0', 'job-bcdfg'),
      message: fc.constantFrom('m1', 'm2', ''),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** Bus and servers left out: frames go straight to the matcher, recordings straight into a list. */
class House implements AsyncDisposable {
  readonly clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'));
  readonly ledger = new Ledger({ maxEvents: 100_000, maxBytes: 1_000_000_000 });
  readonly matcher: Matcher;
  readonly #path: FramePath;
  readonly #recordings: Recordings;
  readonly lines: string[] = [];
  #ordinal = 0;
  #pauseMs = 0;

  constructor(matcher: Matcher) {
    const { clock, ledger } = this;
    this.matcher = matcher;
    matcher.setRules(RULES);
    const client: AgentClient = {
      async send({ firing }, signal) {
        if (!firing.prompt.startsWith('doomed')) return { kind: 'message' };
        await delay(clock, 3 * MINUTE_MS, signal);
        throw new HostError('HOST_ERR_AGENT_REFUSED', 'no');
      },
      follow: async () => ({ state: 'completed', text: '' }),
    };
    const settings = { retry: { attempts: 1, backoff: { initialMs: 1, maxMs: 1, factor: 1 }, maxRetryAfterMs: 1 } };
    const dispatch = new Dispatch({ clock, outbox: new MemoryOutbox({ clock }), client, settings, random: () => 0 });
    recordDeliveries({ dispatch: dispatch.events, ledger, clock });
    this.#path = new FramePath({
      clock,
      ledger,
      judge: ({ frame }) => matcher.judge('kubernetes', new Set(frame.types), frame),
      internalType: (plugin, type) => matcher.internalType(plugin, type),
      accept: (requests) => {
        clock.jump(this.#pauseMs);
        return dispatch.accept(requests);
      },
    });
    const rooms = { ledger, matcher, clock };
    const about = { settings: DEFAULT_SETTINGS, version: '0', run: 'r', plans: () => [], onOpened: () => undefined };
    this.#recordings = new Recordings({ rooms, ...about });
  }

  async play({ wait, pause, events }: Move): Promise<void> {
    this.#pauseMs = pause;
    await this.clock.advance(wait * MINUTE_MS);
    const builder = new FrameBuilder();
    for (const { type, name, message } of events) {
      const timestamp = new Date(this.clock.wall()).toISOString();
      builder.add(type, JSON.stringify({ resourceName: name, namespace: 'shop', message, timestamp }));
    }
    const origin = {
      plugin: 'kubernetes',
      idPrefix: 'k-r-1',
      firstOrdinal: this.#ordinal,
      receivedAt: this.clock.wall(),
    };
    this.#ordinal += events.length;
    const entry = this.ledger.receive(builder.cut(1, 0), origin);
    await this.#path.consume({ entry, eventTypes: null }, () => undefined);
    await settle();
  }

  /** From now on; returns what ends it, with what is on its way then. */
  record(): () => Promise<void> {
    const stop = this.#recordings.open({ ...EVERYTHING, last: 0, inFlight: false, follow: true }, this.#sink());
    return async () => {
      await settled(() => this.lines.length);
      stop();
      await new Promise<void>((resolve) => {
        const sink = { ...this.#sink(), end: resolve };
        this.#recordings.open({ ...EVERYTHING, last: 1_000_000, inFlight: true, follow: false }, sink);
      });
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await settle();
  }

  #sink(): StreamSink {
    return {
      push: ({ data }) => this.lines.push(data),
      miss: (count) => assert.fail(`${count} missed`),
      ready: async () => true,
      end: () => undefined,
    };
  }
}

const EVERYTHING = { plugins: null, outcomes: null, raw: false } as const;

/** Resolves when a count that only grows has stopped growing: threads are at work behind it. */
async function settled(count: () => number): Promise<void> {
  for (let before = -1; before !== count(); ) {
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('replay of any part of days', () => {
  it('makes no difference where there is none', async (t) => {
    await using matcher = new Matcher({ threads: 1, frameTimeoutMs: 30_000, clock: systemClock });
    const directory = tempDir(t);
    await fc.assert(
      fc.asyncProperty(
        fc.array(move, { minLength: 5, maxLength: 60, size: 'max' }),
        fc.nat(100),
        async (moves, part) => {
          const house = new House(matcher);
          const begin = Math.floor((moves.length * part) / 200);
          let stop = async (): Promise<void> => undefined;
          for (const [n, each] of moves.entries()) {
            if (n === begin) stop = house.record();
            await house.play(each);
          }
          await stop();
          const path = join(directory, 'recording.ndjson');
          writeFileSync(path, house.lines.map((line) => `${line}\n`).join(''));
          using recording = Recording.open(path, ({ line, problem }) => assert.fail(`line ${line}: ${problem}`));
          await using run = new DryRun({ hooks: HOOKS, baseline: null, config: null, frameTimeoutMs: 30_000 });
          for await (const { event, changes, before, now } of run.run(recording.inOrder())) {
            const different = changes.filter(({ kind }) => kind !== 'same');
            assert.deepEqual(different, [], `${event.id}\n${house.lines.join('\n')}`);
            if (before !== 'in flight') assert.equal(now, before, event.id);
          }
        },
      ),
      { numRuns: 30, endOnFailure: true },
    );
  });
});
