import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Recording } from '../../../host/replay/recording.ts';
import type { RecordingRead } from '../../../host/replay/recording-line.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { configLine, eventLine, opened } from './recording-support.ts';

function idsOf(lines: readonly RecordingRead[]): string[] {
  return lines.map((line) => (line.kind === 'event' ? line.id : line.kind === 'config' ? line.run : line.kind));
}

describe('recording', () => {
  it('gives events back in the order in which the host judged them, whatever the order of the lines', (t) => {
    const order = fc.shuffledSubarray(
      Array.from({ length: 40 }, (_, n) => n),
      { minLength: 40 },
    );
    fc.assert(
      fc.property(order, (orders) => {
        const { lines } = opened(t, [configLine(), ...orders.map((n) => eventLine({ id: `e${n}`, order: n }))]);
        assert.deepEqual(idsOf(lines()), ['a', ...Array.from({ length: 40 }, (_, n) => `e${n}`)]);
      }),
      { numRuns: 20 },
    );
  });

  it('applies what was in force from its place on, and what a run began with to all of the run', (t) => {
    const { lines } = opened(t, [
      configLine({ order: 7 }),
      eventLine({ id: 'e9', order: 9 }),
      configLine({ order: 8, run: 'a', maxPromptLength: 1 }),
      eventLine({ id: 'e7', order: 7 }),
      eventLine({ id: 'e3', order: 3 }),
      eventLine({ id: 'e8', order: 8 }),
    ]);
    assert.deepEqual(idsOf(lines()), ['a', 'e3', 'e7', 'a', 'e8', 'e9']);
  });

  it('keeps the runs of a host apart, in the order in which they come, and joins the parts of one', (t) => {
    const { lines } = opened(t, [
      ...[configLine({ run: 'old' }), eventLine({ id: 'o9', order: 9 })],
      ...[configLine({ run: 'new' }), eventLine({ id: 'n0', order: 0 })],
      ...[configLine({ run: 'old', order: 10 }), eventLine({ id: 'o2', order: 2 })],
    ]);
    assert.deepEqual(idsOf(lines()), ['old', 'o2', 'o9', 'old', 'new', 'n0']);
  });

  it('counts an event that was told twice once: the later line knows more', (t) => {
    const { recording, lines } = opened(t, [
      configLine(),
      eventLine({ id: 'first', order: 0, outcome: null }),
      eventLine({ id: 'other', order: 1 }),
      eventLine({ id: 'second', order: 0, outcome: 'delivered' }),
    ]);
    assert.deepEqual(idsOf(lines()), ['a', 'second', 'other']);
    assert.deepEqual([recording.facts.events, recording.facts.repeated], [2, 1]);
  });

  it('leaves events without a place where they stand, and names them by their line', (t) => {
    const { lines } = opened(t, [
      eventLine({ id: 'x' }),
      eventLine({ id: undefined, order: 5 }),
      eventLine({ id: 'z' }),
      eventLine({ id: 'y', order: 4 }),
    ]);
    assert.deepEqual(idsOf(lines()), ['x', 'y', 'line-2', 'z']);
  });

  it('names each line that it cannot use by its number, counts it and goes on', (t) => {
    const { recording, broken, lines } = opened(t, [
      'no JSON',
      '[]',
      '',
      '{"kind":"event"}',
      '{"kind":"elephant"}',
      configLine({ format: 2 }),
      eventLine({ receivedAt: 'yesterday' }),
      eventLine({ firings: [{ hook: 'a/b' }] }),
      eventLine({ id: 'good' }),
      eventLine({ outcome: 'lost' }),
      `${eventLine()}x`,
    ]);
    assert.deepEqual(
      broken.map(({ line }) => line),
      [1, 2, 4, 5, 6, 7, 8, 10, 11],
    );
    const words = broken.map(({ problem }) => problem).join('\n');
    for (const part of [
      /^it is not JSON: /m,
      /^its 'kind' must be config, event or missed$/m,
      /^'source': /m,
      /^this khook reads recordings of format 1$/m,
      /^'receivedAt': must be a time such as 2026-01-02T03:04:05\.678Z$/m,
      /^'firings\.0\.configuration': /m,
      /^'outcome': /m,
    ])
      assert.match(words, part);
    assert.deepEqual(idsOf(lines()), ['good']);
    assert.deepEqual([recording.facts.broken, recording.facts.events], [9, 1]);
  });

  it('is not broken by whatever bytes there are', (t) => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\n', '\r\n', eventLine(), configLine(), '{"kind":"missed","count":2}', '\0', '{"kind":"event",'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const { recording, lines } = opened(t, pieces.join(''));
        const events = lines().filter(({ kind }) => kind === 'event');
        assert.equal(events.length, recording.facts.events);
      }),
      { numRuns: 50 },
    );
  });

  it('reads lines of every length, over the bounds of its chunks', (t) => {
    const sizes = [1, 1024 * 1024 - 300, 1024 * 1024, 3 * 1024 * 1024 + 7, 2];
    const { lines } = opened(
      t,
      sizes.map((size, order) => eventLine({ message: 'ä'.repeat(size), order })),
    );
    const lengths = lines().map((line) => (line.kind === 'event' ? JSON.parse(line.line).message.length : 0));
    assert.deepEqual(lengths, sizes);
  });

  it('says how much is missing, and out of how many events something was taken', (t) => {
    const missed = JSON.stringify({ kind: 'missed', count: 5 });
    const { recording } = opened(t, [configLine(), missed, eventLine({ redacted: true }), missed]);
    assert.deepEqual(recording.facts, { events: 1, repeated: 0, missed: 10, redacted: 1, broken: 0 });
    assert.equal(recording.controllerNamespace, 'kagent');
  });

  it('refuses what is no file in words', (t) => {
    const open = (path: string): void => void Recording.open(path, () => undefined);
    assert.throws(() => open('/nowhere/x'), { code: 'HOST_ERR_RECORDING', message: /^\/nowhere\/x cannot be read: / });
    assert.throws(() => open(tempDir(t)), { code: 'HOST_ERR_RECORDING' });
    assert.throws(() => open('/dev/null'), {
      code: 'HOST_ERR_RECORDING',
      message: /it is no file; use - and pipe it in/,
    });
  });
});
