import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Acceptance, FiringOfEvent } from '../../../host/dispatch/dispatch.ts';
import { FramePath } from '../../../host/dispatch/frame-path.ts';
import { Ledger } from '../../../host/ledger/ledger.ts';
import type { LedgerFrame } from '../../../host/ledger/ledger-frame.ts';
import { type FrameVerdict, VERDICTS, type Verdict } from '../../../host/match/verdict.ts';
import { eventId, type Outcome } from '../../../ipc/event.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { frameOf, outcomesOf } from '../../support/frames.ts';
import { firing } from './firing.ts';

const ACCEPTED: Acceptance = { kind: 'accepted', messageId: 'm' };
const DROPPED: Acceptance = { kind: 'dropped', reason: 'outbox_full' };

class Bench {
  readonly clock = new FakeClock();
  readonly ledger = new Ledger({ maxEvents: 10_000, maxBytes: 10_000_000 });
  readonly said: string[] = [];
  verdict: FrameVerdict = { verdicts: '', causes: [], firings: [] };
  accept: (requests: readonly FiringOfEvent[]) => Promise<readonly Acceptance[]> = async (requests) =>
    requests.map(() => ACCEPTED);
  readonly path = new FramePath({
    clock: this.clock,
    ledger: this.ledger,
    judge: async () => this.verdict,
    internalType: (plugin, type) => (type === 'unknown' ? null : `${plugin}/${type}`),
    accept: (requests) => {
      this.said.push(`accept ${requests.map(({ eventId }) => eventId.split('-').at(-1)).join(',')}`);
      return this.accept(requests);
    },
  });
  #ordinal = 0;

  frame(count: number, types?: readonly string[]): LedgerFrame {
    const origin = { plugin: 'p', idPrefix: 'p-r-1', firstOrdinal: this.#ordinal, receivedAt: 0 };
    this.#ordinal += count;
    return this.ledger.receive(frameOf(count, types === undefined ? {} : { types }), origin);
  }

  consume(entry: LedgerFrame): ReturnType<FramePath['consume']> {
    return this.path.consume({ entry, eventTypes: null }, () => this.said.push('judged'));
  }
}

function verdicts(...names: Verdict[]): string {
  return String.fromCharCode(...names.map((name) => VERDICTS.indexOf(name)));
}

function steps(entry: LedgerFrame, index: number): string[] {
  return entry.steps(index).map(({ step, detail }) => `${step}: ${detail}`);
}

describe('frame path', () => {
  it('enters each verdict in the ledger, with its cause, and refuses what is invalid and nothing else', async () => {
    const bench = new Bench();
    const names = ['invalid', 'unmapped', 'mapping_disabled', 'unmatched', 'filtered'] as const;
    bench.verdict = {
      verdicts: verdicts(...names),
      causes: [
        { index: 0, text: 'message cannot be empty' },
        { index: 4, text: 'severity is info' },
      ],
      firings: [],
    };
    const entry = bench.frame(5);
    assert.deepEqual(await bench.consume(entry), [
      { index: 0, code: 'EVENT_ERR_INVALID', message: 'message cannot be empty' },
    ]);
    assert.deepEqual(outcomesOf(entry), names);
    assert.deepEqual(steps(entry, 0), ['invalid: message cannot be empty']);
    assert.deepEqual(steps(entry, 4), ['filtered: severity is info']);
    assert.deepEqual(bench.said, ['judged']);
    assert.deepEqual([bench.ledger.counts.inFlight, bench.ledger.counts.residual], [0, 0]);
  });

  it('refuses every invalid event, also one without a cause or without a verdict', async () => {
    const bench = new Bench();
    bench.verdict = { verdicts: verdicts('invalid', 'unmatched'), causes: [], firings: [] };
    const entry = bench.frame(3);
    const refusals = await bench.consume(entry);
    assert.deepEqual(
      refusals.map(({ index, code }) => [index, code]),
      [
        [0, 'EVENT_ERR_INVALID'],
        [2, 'EVENT_ERR_INVALID'],
      ],
    );
    for (const { message } of refusals) assert.notEqual(message, '');
    assert.deepEqual(outcomesOf(entry), ['invalid', 'unmatched', 'invalid']);
  });

  it('remembers what each type was mapped to', async () => {
    const bench = new Bench();
    bench.verdict = { verdicts: verdicts('unmapped', 'unmatched'), causes: [], firings: [] };
    const entry = bench.frame(2, ['unknown', 'known']);
    await bench.consume(entry);
    const { clock } = bench;
    const at = { at: clock.wall(), atMonotonic: clock.now() };
    assert.deepEqual(entry.judgement, { ...at, order: 0, internalTypes: [null, 'p/known'] });
  });

  it('leaves an accepted firing in flight until dispatch has settled it', async () => {
    const bench = new Bench();
    bench.verdict = { verdicts: verdicts('fires'), causes: [], firings: [firing()] };
    const entry = bench.frame(1);
    assert.deepEqual(await bench.consume(entry), []);
    assert.deepEqual([outcomesOf(entry), bench.ledger.counts.inFlight], [[null], 1]);
    bench.ledger.settleFiring(eventId('p-r-1', 0), 'delivered');
    assert.deepEqual([outcomesOf(entry), bench.ledger.counts.inFlight], [['delivered'], 0]);
    assert.deepEqual(steps(entry, 0), ['matched: Hook kagent/crashes (pod-restart)']);
  });

  it('ends repeats as duplicates of the first, and with it when it is dropped', async () => {
    const consume = async (acceptance: Acceptance) => {
      const bench = new Bench();
      bench.accept = async () => [acceptance];
      bench.verdict = {
        verdicts: verdicts('fires', 'unmatched', 'fires', 'fires'),
        causes: [],
        firings: [firing({ index: 0, repeats: [2, 3] })],
      };
      const entry = bench.frame(4);
      const refusals = await bench.consume(entry);
      assert.equal(bench.ledger.counts.residual, 0);
      return { entry, refused: refusals.map(({ index }) => index) };
    };
    const taken = await consume(ACCEPTED);
    assert.deepEqual(outcomesOf(taken.entry), [null, 'unmatched', 'duplicate', 'duplicate']);
    assert.equal(steps(taken.entry, 3).at(-1), 'duplicate: of p-r-1-0');
    assert.deepEqual(taken.refused, []);
    // What they repeat stands nowhere: whoever were told that they are taken would have been told wrong.
    const dropped = await consume(DROPPED);
    assert.deepEqual(outcomesOf(dropped.entry), ['dropped', 'unmatched', 'dropped', 'dropped']);
    assert.deepEqual(dropped.refused, [0, 2, 3]);
  });

  it('says of which time a duplicate of an earlier frame is, and why an event was dropped, also to its plugin', async () => {
    const bench = new Bench();
    bench.accept = async () => [{ kind: 'duplicate', until: Date.UTC(2030, 0, 1) }, DROPPED];
    bench.verdict = {
      verdicts: verdicts('fires', 'fires'),
      causes: [],
      firings: [firing({ index: 0 }), firing({ index: 1 })],
    };
    const entry = bench.frame(2);
    assert.deepEqual(await bench.consume(entry), [
      { index: 1, code: 'EVENT_ERR_DROPPED', message: 'the event was dropped: outbox_full' },
    ]);
    assert.deepEqual(outcomesOf(entry), ['duplicate', 'dropped']);
    assert.equal(steps(entry, 0).at(-1), 'duplicate: of an earlier firing, until 2030-01-01T00:00:00.000Z');
    assert.equal(steps(entry, 1).at(-1), 'dropped: outbox_full');
  });

  it('ends an event with two firings as the precedence says, whichever ends first', async () => {
    const cases: [Acceptance, Outcome | null, Outcome][] = [
      [{ kind: 'duplicate', until: 0 }, 'delivered', 'delivered'],
      [{ kind: 'duplicate', until: 0 }, 'dead_lettered', 'dead_lettered'],
      [DROPPED, 'delivered', 'dropped'],
      [DROPPED, 'dead_lettered', 'dead_lettered'],
    ];
    for (const [acceptance, later, expected] of cases) {
      const bench = new Bench();
      bench.accept = async () => [acceptance, ACCEPTED];
      bench.verdict = {
        verdicts: verdicts('fires'),
        causes: [],
        firings: [firing({ hook: 'a/a' }), firing({ hook: 'b/b' })],
      };
      const entry = bench.frame(1);
      await bench.consume(entry);
      assert.deepEqual(outcomesOf(entry), [null]);
      bench.ledger.settleFiring(entry.id(0), later ?? 'delivered');
      assert.deepEqual(outcomesOf(entry), [expected]);
    }
  });

  it('counts an event right that repeats one Hook’s firing and fires for another', async () => {
    const bench = new Bench();
    bench.verdict = {
      verdicts: verdicts('fires', 'fires'),
      causes: [],
      firings: [firing({ index: 0, repeats: [1] }), firing({ index: 1, hook: 'b/b' })],
    };
    const entry = bench.frame(2);
    await bench.consume(entry);
    assert.deepEqual(outcomesOf(entry), [null, null]);
    bench.ledger.settleFiring(entry.id(1), 'delivered');
    bench.ledger.settleFiring(entry.id(0), 'delivered');
    assert.deepEqual(outcomesOf(entry), ['delivered', 'delivered']);
  });

  it('settles rightly when a delivery ends before its acceptance is told', async () => {
    const bench = new Bench();
    bench.accept = async (requests) => {
      for (const { eventId } of requests) bench.ledger.settleFiring(eventId, 'delivered');
      return requests.map(() => ACCEPTED);
    };
    bench.verdict = { verdicts: verdicts('fires', 'fires'), causes: [], firings: [firing({ repeats: [1] })] };
    const entry = bench.frame(2);
    await bench.consume(entry);
    assert.deepEqual(outcomesOf(entry), ['delivered', 'duplicate']);
    assert.deepEqual([bench.ledger.counts.inFlight, bench.ledger.counts.residual], [0, 0]);
  });

  it('lets the next frame be judged before the firings are accepted, but hands them over first', async () => {
    const bench = new Bench();
    const gate = Promise.withResolvers<void>();
    bench.accept = async (requests) => {
      await gate.promise;
      return requests.map(() => ACCEPTED);
    };
    bench.verdict = { verdicts: verdicts('fires'), causes: [], firings: [firing()] };
    let acknowledged = 0;
    for (let n = 0; n < 3; n += 1) {
      void bench.consume(bench.frame(1)).then(() => {
        acknowledged += 1;
      });
      await settle();
    }
    assert.deepEqual(bench.said, ['accept 0', 'judged', 'accept 1', 'judged', 'accept 2', 'judged']);
    assert.equal(acknowledged, 0);
    gate.resolve();
    await settle();
    assert.equal(acknowledged, 3);
  });

  it('fails as a whole when the matcher or the door of dispatch does', async () => {
    const bench = new Bench();
    bench.verdict = { verdicts: verdicts('fires'), causes: [], firings: [firing()] };
    bench.accept = async () => {
      throw new Error('the outbox cannot be written');
    };
    await assert.rejects(bench.consume(bench.frame(1)), /outbox cannot be written/);
  });

  it('conserves events whatever the matcher says', async () => {
    const kind = fc.constantFrom<Acceptance>(ACCEPTED, DROPPED, { kind: 'duplicate', until: 1 });
    const event = fc.record({
      verdict: fc.constantFrom(...VERDICTS),
      acceptances: fc.array(kind, { minLength: 1, maxLength: 3 }),
      repeats: fc.uniqueArray(fc.nat(11), { maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 12 }), async (events) => {
        const bench = new Bench();
        const fires = (index: number): boolean => events[index]?.verdict === 'fires';
        const open: number[] = [];
        const acceptances: Acceptance[] = [];
        const firings = events.flatMap((event, index) =>
          event.verdict !== 'fires'
            ? []
            : event.acceptances.map((acceptance, n) => {
                acceptances.push(acceptance);
                if (acceptance.kind === 'accepted') open.push(index);
                const repeats = event.repeats.filter((other) => other > index && fires(other));
                return firing({ index, repeats, hook: `h/${index}-${n}` });
              }),
        );
        bench.accept = async () => acceptances;
        bench.verdict = { verdicts: verdicts(...events.map(({ verdict }) => verdict)), causes: [], firings };
        const entry = bench.frame(events.length);
        await bench.consume(entry);
        const { inFlight, residual } = bench.ledger.counts;
        assert.deepEqual([inFlight, residual], [new Set(open).size, 0]);
        for (const index of open) bench.ledger.settleFiring(entry.id(index), 'delivered');
        assert.deepEqual([bench.ledger.counts.inFlight, bench.ledger.counts.residual], [0, 0]);
      }),
    );
  });
});
