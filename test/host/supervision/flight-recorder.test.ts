import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Emitter } from '../../../host/base/emitter.ts';
import { Ledger } from '../../../host/ledger/ledger.ts';
import { NO_VITAL_SIGNS } from '../../../host/sandbox/vessel.ts';
import type { SupervisionEvents } from '../../../host/supervision/events.ts';
import { FlightRecorder } from '../../../host/supervision/flight-recorder.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { frameOf } from '../../support/frames.ts';
import { crashOf } from '../../support/scripted-vessel.ts';

class Bench {
  readonly clock = new FakeClock();
  readonly supervision = new Emitter<SupervisionEvents>();
  readonly ledger = new Ledger({ maxEvents: 10_000, maxBytes: 10_000_000 });
  readonly recorder = new FlightRecorder({ clock: this.clock, supervision: this.supervision, ledger: this.ledger });

  start(plugin: string, generation: number): void {
    this.supervision.emit('plugin:starting', { plugin, generation });
  }

  say(plugin: string, generation: number, message: string, fields = ''): void {
    const record = { level: 'info', message, at: 0, fields } as const;
    this.supervision.emit('plugin:log', { plugin, generation, record });
  }

  crash(plugin: string, generation: number, changes: Partial<SupervisionEvents['plugin:crashed']> = {}): void {
    const about = { plugin, generation, id: `${plugin}-r-${generation}`, exit: crashOf() };
    const rest = { nextStartMs: 800, isCrashLoop: false, uptimeMs: 1_234, vitalSigns: [] };
    this.supervision.emit('plugin:crashed', { ...about, ...rest, ...changes });
  }

  said(plugin: string, index = 0): string[] {
    return this.recorder.records(plugin)[index]?.log.map(({ message }) => message) ?? [];
  }
}

describe('flight recorder', () => {
  it('keeps of a run that failed why, when, how long, its readings, its last events and its last lines', () => {
    const bench = new Bench();
    bench.start('a', 4);
    const origin = { plugin: 'a', idPrefix: 'a-r-4', firstOrdinal: 0, receivedAt: 5 };
    bench.ledger.receive(frameOf(2), origin);
    bench.ledger.receive(frameOf(1), { ...origin, plugin: 'b', idPrefix: 'b-r-1' });
    bench.say('a', 4, 'about to break', '{"n":1}');
    const vitalSigns = [{ ...NO_VITAL_SIGNS, at: 7 }];
    bench.crash('a', 4, { vitalSigns });
    const exit = { reason: 'crash', detail: 'a bug', code: 'PLUGIN_ERR_THROWN', stack: '' };
    const [record] = bench.recorder.records();
    assert.deepEqual(record, {
      ...{ id: 'a-r-4', plugin: 'a', generation: 4, ...exit, uptimeMs: 1_234, nextStartMs: 800, vitalSigns },
      ...{ at: bench.clock.wall(), endedAt: bench.clock.now() },
      events: [
        { id: 'a-r-4-1', type: 'happened', receivedAt: 5 },
        { id: 'a-r-4-0', type: 'happened', receivedAt: 5 },
      ],
      log: [{ level: 'info', message: 'about to break', at: 0, fields: '{"n":1}' }],
    });
  });

  it('adds last words that come late to the run that said them', () => {
    const bench = new Bench();
    bench.start('a', 1);
    bench.say('a', 1, 'one');
    bench.crash('a', 1);
    bench.say('a', 1, 'one, after its end');
    bench.start('a', 2);
    bench.say('a', 2, 'two');
    bench.say('a', 1, 'one, after the next began');
    bench.crash('a', 2);
    assert.deepEqual(bench.said('a', 1), ['one', 'one, after its end', 'one, after the next began']);
    // A run that is short shows what led to it as well.
    assert.deepEqual(bench.said('a', 0), ['one', 'one, after its end', 'two']);
  });

  it('answers newest first, of all plugins or of one, and keeps the records of a plugin that is gone', () => {
    const bench = new Bench();
    for (const [plugin, generation] of [
      ['a', 1],
      ['b', 1],
      ['a', 2],
    ] as const) {
      bench.start(plugin, generation);
      bench.crash(plugin, generation);
    }
    bench.supervision.emit('plugin:removed', { plugin: 'a' });
    bench.say('a', 2, 'nobody listens');
    const ids = (plugin: string | null): string[] => bench.recorder.records(plugin).map(({ id }) => id);
    assert.deepEqual([ids(null), ids('a'), ids('c')], [['a-r-2', 'b-r-1', 'a-r-1'], ['a-r-2', 'a-r-1'], []]);
    assert.deepEqual(bench.said('a'), []);
  });

  it('keeps the last twenty events and fifty lines, and the whole time of its readings in sixty of them', () => {
    const bench = new Bench();
    bench.start('a', 1);
    bench.ledger.receive(frameOf(100), { plugin: 'a', idPrefix: 'a-r-1', firstOrdinal: 0, receivedAt: 5 });
    for (let n = 0; n < 200; n += 1) bench.say('a', 1, `line ${n}`);
    const vitalSigns = Array.from({ length: 400 }, (_, at) => ({ ...NO_VITAL_SIGNS, at }));
    bench.crash('a', 1, { vitalSigns });
    const [record] = bench.recorder.records();
    assert.deepEqual([record?.events.length, record?.events[0]?.id], [20, 'a-r-1-2r']);
    assert.deepEqual(
      [record?.log.length, record?.log[0]?.message, record?.log.at(-1)?.message],
      [50, 'line 150', 'line 199'],
    );
    const times = record?.vitalSigns.map(({ at }) => at) ?? [];
    assert.ok(times.length <= 60 && (times[0] ?? 400) < 10 && times.at(-1) === 399, times.join());
  });

  it('is bounded in records and in bytes, whatever happens', () => {
    const plugin = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
    const size = fc.constantFrom(0, 10, 8_192, 32_768);
    fc.assert(
      fc.property(fc.array(fc.tuple(plugin, size), { maxLength: 120 }), (happenings) => {
        const bench = new Bench();
        for (const [generation, [plugin, size]] of happenings.entries()) {
          bench.start(plugin, generation);
          bench.say(plugin, generation, 'm'.repeat(size / 4), 'f'.repeat(size));
          bench.crash(plugin, generation, { exit: { ...crashOf('d'.repeat(size)), stack: 's'.repeat(size) } });
        }
        const records = bench.recorder.records();
        assert.equal(records.length <= 50, true);
        for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) assert.ok(bench.recorder.records(name).length <= 10);
        for (const record of records) assert.ok(JSON.stringify(record).length < 100_000);
        const newest = happenings.at(-1);
        if (newest !== undefined) assert.equal(records[0]?.generation, happenings.length - 1);
      }),
      { numRuns: 40 },
    );
  });

  it('listens no more when it is disposed of', () => {
    const bench = new Bench();
    bench.recorder[Symbol.dispose]();
    bench.start('a', 1);
    bench.crash('a', 1);
    assert.deepEqual(bench.recorder.records(), []);
  });
});
