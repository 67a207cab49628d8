import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { LedgerFrame } from '../../../host/ledger/ledger-frame.ts';
import { Trail } from '../../../host/ledger/trail.ts';
import { frameOf } from '../../support/frames.ts';

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

function ledgerFrame(count: number, first: number, line = '{}'): LedgerFrame {
  const origin = { plugin: 'p', idPrefix: 'p-r-1', firstOrdinal: first, receivedAt: 0 };
  const watch = { settled: () => undefined, wantsEnds: false, ended: () => undefined };
  return new LedgerFrame(frameOf(count, { line }), origin, watch);
}

describe('trail', () => {
  it('is bounded in events and in bytes, and holds the newest', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ count: fc.integer({ min: 1, max: 30 }), length: fc.nat(300) }), {
          maxLength: 700,
          size: 'max',
        }),
        (frames) => {
          const limits = { maxEvents: 200, maxBytes: 30_000 };
          const trail = new Trail(limits);
          const pushed: LedgerFrame[] = [];
          for (const { count, length } of frames) {
            const frame = ledgerFrame(count, 0, 'x'.repeat(length));
            pushed.push(frame);
            trail.push(frame);
            const { events, bytes } = trail.size;
            assert.ok(events <= limits.maxEvents && bytes <= limits.maxBytes);
            assert.ok(events >= 0 && bytes >= 0);
          }
          const held = [...trail.newestFirst()];
          assert.deepEqual(held, pushed.slice(pushed.length - held.length).toReversed());
          assert.equal(
            trail.size.events,
            held.reduce((sum, frame) => sum + frame.count, 0),
          );
          assert.equal(
            trail.size.bytes,
            held.reduce((sum, frame) => sum + frame.byteLength, 0),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it('holds nothing when a single frame is larger than all of it', () => {
    const trail = new Trail({ maxEvents: 10, maxBytes: 1_000 });
    trail.push(ledgerFrame(3, 0));
    trail.push(ledgerFrame(11, 3));
    assert.deepEqual([[...trail.newestFirst()], trail.size], [[], { events: 0, bytes: 0 }]);
    trail.push(ledgerFrame(2, 14));
    assert.equal(trail.size.events, 2);
  });

  it('lets go of the memory of what it has forgotten', async () => {
    const trail = new Trail({ maxEvents: 10, maxBytes: 1_000_000 });
    const forgotten = Array.from({ length: 100 }, (_, n) => {
      const frame = ledgerFrame(5, n * 5);
      trail.push(frame);
      return new WeakRef(frame);
    }).slice(0, 98);
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    assert.equal(forgotten.filter((frame) => frame.deref() !== undefined).length, 0);
    assert.equal(trail.size.events, 10);
  });
});
