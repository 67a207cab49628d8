import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LedgerSnapshot, PluginSnapshot } from '../../../host/http/view.ts';
import { History, SAMPLE_EVERY_MS } from '../../../host/snapshots/history.ts';
import { OUTCOMES, type Outcome } from '../../../ipc/event.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { PLUGIN } from '../http/http-support.ts';

const outcomes = (delivered: number): Record<Outcome, number> =>
  Object.fromEntries(OUTCOMES.map((name) => [name, name === 'delivered' ? delivered : 0])) as Record<Outcome, number>;
const ledgerOf = (received: number, delivered: number, inFlight: number): LedgerSnapshot => ({
  received,
  restored: 0,
  inFlight,
  outcomes: outcomes(delivered),
  residual: 0,
});

describe('history', () => {
  it('has one figure for each time, over the time since the one before', async () => {
    const clock = new FakeClock();
    let plugins: PluginSnapshot[] = [{ ...PLUGIN, eventsAccepted: 100, cpuSeconds: 1, memoryBytes: 5 }];
    let ledger = ledgerOf(100, 40, 3);
    using history = new History({ clock, plugins: () => plugins, ledger: () => ledger });
    assert.deepEqual(history.snapshot.at, []);

    plugins = [{ ...PLUGIN, eventsAccepted: 150, cpuSeconds: 6, memoryBytes: 7 }];
    ledger = ledgerOf(200, 60, 1);
    await clock.advance(SAMPLE_EVERY_MS);
    // It was recycled: its CPU time is counted from its birth, its events go on.
    plugins = [
      { ...PLUGIN, generation: 2, eventsAccepted: 151, cpuSeconds: 2, memoryBytes: 1 },
      { ...PLUGIN, name: 'late', eventsAccepted: 1_000 },
    ];
    await clock.advance(SAMPLE_EVERY_MS);
    plugins = [];
    await clock.advance(SAMPLE_EVERY_MS);

    const { at, host, plugins: columns } = history.snapshot;
    assert.equal(at.length, 3);
    assert.deepEqual(host, { receivedPerSecond: [10, 0, 0], deliveredPerSecond: [2, 0, 0], inFlight: [1, 1, 1] });
    assert.deepEqual(
      columns.map(({ name, eventsPerSecond, memoryBytes, cpuShare }) => ({
        name,
        eventsPerSecond,
        memoryBytes,
        cpuShare,
      })),
      [
        {
          name: 'late',
          eventsPerSecond: [null, 0, null],
          memoryBytes: [null, 5_000_000, null],
          cpuShare: [null, 0, null],
        },
        { name: 'webhook', eventsPerSecond: [5, 0.1, null], memoryBytes: [7, 1, null], cpuShare: [0.5, 0.2, null] },
      ],
    );
  });

  it('keeps an hour, and no timer after its end', async () => {
    const clock = new FakeClock();
    const history = new History({ clock, plugins: () => [PLUGIN], ledger: () => ledgerOf(0, 0, 0) });
    await clock.advance(2 * 3_600_000);
    assert.equal(history.snapshot.at.length, 360);
    history[Symbol.dispose]();
    assert.equal(clock.pending, 0);
  });
});
