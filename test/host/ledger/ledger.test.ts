import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { MAX_FATES } from '../../../host/ledger/firing-fate.ts';
import { Ledger } from '../../../host/ledger/ledger.ts';
import type { LedgerFrame } from '../../../host/ledger/ledger-frame.ts';
import { eventId, OUTCOMES, type Outcome } from '../../../ipc/event.ts';
import { typeAt } from '../../../ipc/frame.ts';
import { frameOf, outcomesOf } from '../../support/frames.ts';

const LIMITS = { maxEvents: 1_000, maxBytes: 10_000_000 };

function receive(
  ledger: Ledger,
  count: number,
  origin: { plugin?: string; prefix?: string; first?: number } = {},
): LedgerFrame {
  const { plugin = 'p', prefix = `${plugin}-r-1`, first = 0 } = origin;
  return ledger.receive(frameOf(count), { plugin, idPrefix: prefix, firstOrdinal: first, receivedAt: 1 });
}

function assertConserved(ledger: Ledger, entries: readonly LedgerFrame[]): void {
  const { counts } = ledger;
  assert.equal(counts.residual, 0);
  assert.ok(counts.inFlight >= 0);
  const all = entries.flatMap(outcomesOf);
  assert.equal(counts.received, all.length);
  assert.equal(counts.inFlight, all.filter((outcome) => outcome === null).length);
  for (const outcome of OUTCOMES) assert.equal(counts.outcomes[outcome], all.filter((each) => each === outcome).length);
}

const outcome = fc.constantFrom(...OUTCOMES);
const firingOutcome: fc.Arbitrary<Outcome> = fc.constantFrom('delivered', 'dead_lettered', 'duplicate', 'dropped');

/** One frame: per event either an outcome at once, or so many firings. */
const frame = fc.array(fc.oneof(outcome, fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 12 });

describe('ledger', () => {
  it('conserves events whatever happens in whatever order, however often', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 6 }),
        fc.array(fc.record({ pick: fc.nat(), outcome: firingOutcome, noise: fc.nat(4) }), { maxLength: 80 }),
        (frames, steps) => {
          // A trail far too small: what is forgotten by the trail must still be settled.
          const ledger = new Ledger({ maxEvents: 5, maxBytes: 10_000 });
          const entries: LedgerFrame[] = [];
          const open: string[] = [];
          for (const [n, events] of frames.entries()) {
            const entry = receive(ledger, events.length, { first: n * 100 });
            entries.push(entry);
            assertConserved(ledger, entries);
            for (const [index, fate] of events.entries()) {
              if (typeof fate === 'number') entry.expectFirings(index, fate);
            }
            entry.settleAll((index) => {
              const fate = events[index];
              return typeof fate === 'string' ? fate : null;
            });
            for (const [index, fate] of events.entries()) {
              if (typeof fate !== 'number') continue;
              ledger.track(entry, index);
              for (let i = 0; i < fate; i += 1) open.push(entry.id(index));
            }
            assertConserved(ledger, entries);
          }
          const done: string[] = [];
          for (const { pick, outcome, noise } of steps) {
            if (noise === 0) ledger.settleFiring('p-r-9-zz', outcome);
            // A firing of an event that has ended altogether is settled again.
            const ended = done.filter((id) => !open.includes(id));
            if (noise === 1 && ended.length > 0) ledger.settleFiring(ended[pick % ended.length] ?? '', outcome);
            if (noise === 2)
              entries[pick % entries.length]?.settle(0, entries[pick % entries.length]?.outcome(0) ?? outcome);
            if (noise === 3) entries[0]?.settle(99, outcome);
            if (open.length > 0) {
              const [id] = open.splice(pick % open.length, 1);
              ledger.settleFiring(id ?? '', outcome);
              done.push(id ?? '');
            }
            assertConserved(ledger, entries);
          }
          for (const id of open) ledger.settleFiring(id, 'delivered');
          assertConserved(ledger, entries);
          assert.equal(ledger.counts.inFlight, 0);
        },
      ),
    );
  });

  it('ends an event when the last of its firings has ended, with the strongest of their outcomes', () => {
    const ledger = new Ledger(LIMITS);
    const entry = receive(ledger, 1);
    entry.expectFirings(0, 3);
    ledger.track(entry, 0);
    for (const outcome of ['duplicate', 'dead_lettered'] as const) {
      ledger.settleFiring(entry.id(0), outcome);
      assert.equal(entry.outcome(0), null);
      assert.equal(ledger.counts.inFlight, 1);
    }
    ledger.settleFiring(entry.id(0), 'delivered');
    assert.equal(entry.outcome(0), 'dead_lettered');
  });

  it('says how many events of a plugin ended how, once', () => {
    const ledger = new Ledger(LIMITS);
    const said: string[] = [];
    ledger.on('events:settled', ({ plugin, outcome, count }) => said.push(`${plugin} ${outcome} ${count}`));
    const entry = receive(ledger, 5);
    entry.settleAll((index) => (index < 3 ? 'unmatched' : null));
    entry.settleAll(() => 'invalid');
    entry.settleAll(() => 'dropped');
    assert.deepEqual(said, ['p unmatched 3', 'p invalid 2']);
  });

  it('says which events ended, once, to whoever listens then, and gathers nothing for nobody', () => {
    const ledger = new Ledger(LIMITS);
    const entry = receive(ledger, 4);
    entry.settle(0, 'dropped');
    const ended: number[][] = [];
    const stop = ledger.on('events:ended', ({ frame, indices }) => {
      assert.equal(frame, entry);
      ended.push([...indices]);
    });
    entry.settleAll((index) => (index < 3 ? 'unmatched' : null));
    entry.settleAll(() => null);
    entry.settle(1, 'invalid');
    entry.settle(3, 'delivered');
    assert.deepEqual(ended, [[1, 2], [3]]);
    stop();
    receive(ledger, 1).settle(0, 'unmatched');
    assert.equal(ended.length, 2);
  });

  it('numbers events in the order in which their frames were judged', () => {
    const ledger = new Ledger(LIMITS);
    const [first, second] = [receive(ledger, 3), receive(ledger, 2)];
    const judgement = { at: 1, atMonotonic: 2, internalTypes: [] };
    ledger.judge(second, judgement);
    ledger.judge(first, judgement);
    assert.deepEqual([second.judgement?.order, first.judgement?.order, ledger.judged], [0, 2, 5]);
  });

  it('knows what became of each firing of an event, up to a bound', () => {
    const ledger = new Ledger(LIMITS);
    const entry = receive(ledger, 2);
    const subject = { hook: 'a/h', configuration: 0, agent: 'a/x', dedupKey: 'k' };
    entry.expectFate(0, subject);
    entry.expectFate(0, { ...subject, configuration: 1 });
    ledger.track(entry, 0);
    ledger.amendFate(entry.id(0), { hook: 'a/h', configuration: 1 }, { end: { outcome: 'delivered', atMonotonic: 5 } });
    ledger.amendFate(entry.id(0), { hook: 'a/other', configuration: 1 }, { digest: 'm' });
    ledger.amendFate(entry.id(1), subject, { digest: 'm' });
    assert.deepEqual(
      entry.fates(0).map(({ end, decision, digest }) => ({ end, decision, digest })),
      [
        { end: null, decision: null, digest: null },
        { end: { outcome: 'delivered', atMonotonic: 5 }, decision: null, digest: null },
      ],
    );
    assert.deepEqual(entry.fates(1), []);
    for (let n = 0; n < 1_000; n += 1) entry.expectFate(1, { ...subject, configuration: n });
    assert.equal(entry.fates(1).length, MAX_FATES);
  });

  it('keeps its counts though a listener throws', (t) => {
    t.mock.method(globalThis, 'queueMicrotask', () => undefined);
    const ledger = new Ledger(LIMITS);
    ledger.on('events:settled', () => {
      throw new Error('a bug of the listener');
    });
    const entry = receive(ledger, 2);
    entry.settleAll(() => 'unmatched');
    assertConserved(ledger, [entry]);
  });

  it('finds every remembered event by its id, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ plugin: fc.constantFrom('a', 'b', 'a-b'), count: fc.integer({ min: 1, max: 40 }) }), {
          maxLength: 12,
        }),
        (frames) => {
          const ledger = new Ledger({ maxEvents: 100, maxBytes: 10_000_000 });
          const next = new Map<string, number>();
          const ids: string[] = [];
          for (const { plugin, count } of frames) {
            const first = next.get(plugin) ?? 0;
            next.set(plugin, first + count);
            const entry = receive(ledger, count, { plugin, first });
            for (let index = 0; index < count; index += 1) ids.push(entry.id(index));
          }
          const remembered = [...ledger.newestFirst()].map(({ frame, index }) => frame.id(index));
          assert.deepEqual(remembered, ids.toReversed().slice(0, remembered.length));
          for (const id of ids) {
            const found = ledger.find(id);
            if (!remembered.includes(id)) assert.equal(found, null);
            else assert.equal(found?.frame.id(found.index), id);
          }
          for (const plugin of next.keys()) {
            assert.equal(ledger.find(eventId(`${plugin}-r-1`, next.get(plugin) ?? 0)), null);
            assert.equal(ledger.find(eventId(`${plugin}-r-2`, 0)), null);
          }
        },
      ),
    );
  });

  it('finds nothing by an id that only looks like one', () => {
    const ledger = new Ledger(LIMITS);
    const entry = receive(ledger, 50);
    assert.notEqual(ledger.find(entry.id(1)), null);
    const wrong = [
      '',
      '-',
      '1',
      'p-r-1',
      'p-r-1-',
      'p-r-1--1',
      'p-r-1-01',
      'p-r-1-1 ',
      'p-r-1-1!',
      'p-r-1-+1',
      'P-r-1-1',
      'p-r-1-A',
    ];
    for (const id of [...wrong, `p-r-1-${'z'.repeat(50)}`, 'p-r-1-1.5', 'p-r-1-1/../2']) {
      assert.equal(ledger.find(id), null, `'${id}' found an event`);
    }
  });

  it('keeps the steps of an event, bounded, also of one that is tracked', () => {
    const ledger = new Ledger(LIMITS);
    const entry = receive(ledger, 2);
    for (let n = 0; n < 100; n += 1) entry.note(1, { at: n, step: 'matched', detail: `${n}` });
    assert.ok(entry.steps(1).length >= 10 && entry.steps(1).length <= 100 / 2);
    assert.deepEqual(entry.steps(0), []);
    entry.expectFirings(0, 1);
    ledger.track(entry, 0);
    ledger.note(entry.id(0), { at: 1, step: 'sent', detail: '' });
    ledger.note('unknown-1-0', { at: 1, step: 'sent', detail: '' });
    assert.deepEqual(entry.steps(0), [{ at: 1, step: 'sent', detail: '' }]);
  });

  it('counts an event of an earlier life as restored, once, and ends it with its last restored firing', () => {
    const ledger = new Ledger(LIMITS);
    const event = { plugin: 'p', type: 't', internalType: 'T', resourceName: 'r', namespace: '', receivedAt: 5 };
    const id = eventId('p-old-1', 77);
    ledger.restore({ ...event, eventId: id });
    ledger.restore({ ...event, eventId: id });
    ledger.restore({ ...event, eventId: eventId('p-old-1', 78) });
    assert.deepEqual(
      [ledger.counts.received, ledger.counts.restored, ledger.counts.inFlight, ledger.counts.residual],
      [0, 2, 2, 0],
    );
    ledger.settleFiring(id, 'delivered');
    assert.equal(ledger.counts.inFlight, 2);
    ledger.settleFiring(id, 'dead_lettered');
    ledger.settleFiring(id, 'delivered');
    const { inFlight, residual, outcomes } = ledger.counts;
    assert.deepEqual([inFlight, residual, outcomes.dead_lettered, outcomes.delivered], [1, 0, 1, 0]);
    const found = ledger.find(id);
    assert.equal(found?.frame.outcome(found.index), 'dead_lettered');
    assert.equal(found?.frame.id(found.index), id);
  });

  it('lets an event that was dead-lettered enter once more, with the trail it had, and counts it as restored', () => {
    const ledger = new Ledger(LIMITS);
    const entry = receive(ledger, 3);
    const id = entry.id(1);
    const event = { eventId: id, plugin: 'p', type: 'T', internalType: 'T', resourceName: 'r', namespace: '' };
    entry.settleAll((index) => (index === 1 ? null : 'unmatched'));
    entry.expectFirings(1, 1);
    ledger.track(entry, 1);
    ledger.note(id, { at: 1, step: 'called', detail: '' });
    ledger.settleFiring(id, 'dead_lettered');
    ledger.reopen({ ...event, receivedAt: 99 });
    ledger.note(id, { at: 2, step: 'redriven', detail: '' });
    const { received, restored, inFlight, residual } = ledger.counts;
    assert.deepEqual([received, restored, inFlight, residual], [3, 1, 1, 0]);
    const found = ledger.find(id);
    assert.ok(found !== null && found.frame !== entry);
    assert.deepEqual(
      found.frame.steps(0).map(({ step }) => step),
      ['called', 'redriven'],
    );
    assert.deepEqual([found.frame.frame.lines, found.frame.frame.types], [entry.line(1), [typeAt(entry.frame, 1)]]);
    assert.equal(found.frame.origin.receivedAt, 1, 'it came when it came');
    const ids = [...ledger.newestFirst()].map(({ frame, index }) => frame.id(index));
    assert.deepEqual(ids, [id, entry.id(2), entry.id(0)], 'it is listed once');
    ledger.settleFiring(id, 'delivered');
    const { outcomes } = ledger.counts;
    assert.deepEqual([outcomes.dead_lettered, outcomes.delivered, ledger.counts.residual], [1, 1, 0]);
    assert.equal(ledger.find(id)?.frame.outcome(0), 'delivered');
  });

  it('lets an event enter once more that the trail has forgotten', () => {
    const ledger = new Ledger(LIMITS);
    const eventId = 'p-old-1-5';
    const event = { plugin: 'p', type: 't', internalType: 'T', resourceName: 'r', namespace: '', receivedAt: 5 };
    ledger.reopen({ ...event, eventId });
    assert.deepEqual([ledger.counts.restored, ledger.counts.inFlight, ledger.counts.residual], [1, 1, 0]);
    ledger.settleFiring(eventId, 'delivered');
    assert.equal(ledger.counts.inFlight, 0);
  });

  it('takes back that a firing was dead-lettered while others of its event are under way', () => {
    const ledger = new Ledger(LIMITS);
    const entry = receive(ledger, 1);
    const id = entry.id(0);
    entry.expectFirings(0, 2);
    ledger.track(entry, 0);
    ledger.settleFiring(id, 'dead_lettered');
    const event = { plugin: 'p', type: 't', internalType: 'T', resourceName: 'r', namespace: '', receivedAt: 5 };
    ledger.reopen({ ...event, eventId: id });
    assert.deepEqual([ledger.counts.restored, ledger.counts.inFlight], [0, 1]);
    ledger.settleFiring(id, 'delivered');
    assert.equal(entry.outcome(0), null);
    ledger.settleFiring(id, 'delivered');
    assert.equal(entry.outcome(0), 'delivered');
    assertConserved(ledger, [entry]);
  });

  it('keeps of a long trail how it began and how it ended', () => {
    const ledger = new Ledger(LIMITS);
    const entry = receive(ledger, 1);
    for (let at = 0; at < 1_000; at += 1) entry.note(0, { at, step: 'called', detail: '' });
    const kept = entry.steps(0).map(({ at }) => at);
    assert.ok(kept.length <= 24, `${kept.length} steps`);
    assert.deepEqual(
      [kept.slice(0, 3), kept.slice(-3)],
      [
        [0, 1, 2],
        [997, 998, 999],
      ],
    );
  });
});
