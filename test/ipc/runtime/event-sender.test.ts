import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { CodedError } from '../../../ipc/errors.ts';
import { eventId, type PluginEvent } from '../../../ipc/event.ts';
import { FRAME_CUT_LENGTH, FRAME_LINGER_MS, FRAME_MAX_EVENTS } from '../../../ipc/frame.ts';
import { Ends, event, Host, microtasks, PREFIX } from './sender-host.ts';

type Step =
  | { readonly do: 'emit' | 'tryEmit'; readonly count: number; readonly padding: number }
  | { readonly do: 'grant'; readonly events: number; readonly bytes: number }
  | { readonly do: 'ack'; readonly refuse: number; readonly position: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'bad' };

const padding = fc.oneof({ weight: 9, arbitrary: fc.nat(200) }, { weight: 1, arbitrary: fc.nat(60_000) });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('emit' as const), count: fc.integer({ min: 1, max: 40 }), padding }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('tryEmit' as const), count: fc.integer({ min: 1, max: 5 }), padding }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('grant' as const), events: fc.nat(60), bytes: fc.nat(20_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ack' as const),
      refuse: fc.integer({ min: 1, max: 9 }),
      position: fc.nat(2),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('bad' as const) }) },
);

describe('event sender', () => {
  it('loses nothing, doubles nothing, keeps order and credit, and answers every promise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(60), async (steps, drainAt) => {
        const host = new Host();
        const ends = new Ends();
        const taken: number[] = [];
        const late: number[] = [];
        let next = 0;
        let draining: Promise<void> | null = null;
        for (const [position, step] of steps.entries()) {
          if (position === drainAt) draining = host.sender.drain();
          if (step.do === 'emit' || step.do === 'tryEmit') {
            for (let i = 0; i < step.count; i += 1) {
              const n = next;
              next += 1;
              const promise = host.sender[step.do](event(n, step.padding));
              if (promise === null) continue;
              ends.follow(n, promise);
              (draining === null ? taken : late).push(n);
            }
          } else if (step.do === 'bad') {
            const n = next;
            next += 1;
            ends.follow(n, host.sender.emit({ ...event(n), source: 'somebody-else' } as PluginEvent));
            late.push(n);
          } else if (step.do === 'grant') host.grant(step.events, step.bytes);
          else if (step.do === 'ack') {
            // Acks of one plugin come in order, unless a frame was dropped at the door while earlier ones are being judged.
            host.acknowledge(
              (index) => index % 10 >= step.refuse,
              Math.min(step.position, host.unacknowledged.length - 1),
            );
          } else if (step.do === 'pass') await host.clock.advance(step.ms);
          await microtasks();
          host.read();
          // Nothing is held back while nothing is unacknowledged: what is not on the wire waits for credit.
          if (host.unacknowledged.length === 0 && host.numbers.length < taken.length) {
            assert.ok(host.left.events <= 0 || host.left.bytes <= 0, 'an event with credit is held back');
          }
        }
        draining ??= host.sender.drain();
        host.grant(100_000, 100_000_000);
        for (let round = 0; host.unacknowledged.length > 0 || round < 3; round += 1) {
          await host.clock.advance(FRAME_LINGER_MS);
          host.read();
          host.acknowledge();
        }
        await draining;
        await microtasks();
        assert.deepEqual(host.numbers, taken);
        assert.equal(ends.open, 0);
        taken.forEach((n, ordinal) => {
          if (host.refusedOrdinals.has(ordinal)) assert.equal(ends.refusals.get(n), 'EVENT_ERR_INVALID');
          else assert.equal(ends.receipts.get(n), eventId(PREFIX, ordinal));
        });
        for (const n of late) assert.match(ends.refusals.get(n) ?? '', /^EVENT_ERR_(STOPPING|SOURCE)$/);
        assert.equal(new Set(ends.receipts.values()).size, ends.receipts.size);
        assert.equal(host.clock.pending, 0);
      }),
      { numRuns: 150 },
    );
  });

  it('cuts a frame at the end of the turn when nothing is unacknowledged', async () => {
    const host = new Host();
    host.grant(1_000, 1_000_000);
    for (let n = 0; n < 20; n += 1) void host.sender.emit(event(n));
    await Promise.resolve();
    host.read();
    assert.deepEqual(
      host.frames.map((frame) => frame.count),
      [20],
    );
  });

  it('lets events linger while a frame is unacknowledged, but never longer than its time', async () => {
    const host = new Host();
    host.grant(1_000, 1_000_000);
    void host.sender.emit(event(0));
    await microtasks();
    void host.sender.emit(event(1));
    await host.clock.advance(FRAME_LINGER_MS - 1);
    void host.sender.emit(event(2));
    await microtasks();
    host.read();
    assert.deepEqual(host.numbers, [0]);
    await host.clock.advance(1);
    host.read();
    assert.deepEqual(
      host.frames.map((frame) => frame.count),
      [1, 2],
    );
  });

  it('sends what lingers as soon as the last ack is there', async () => {
    const host = new Host();
    host.grant(1_000, 1_000_000);
    void host.sender.emit(event(0));
    await microtasks();
    void host.sender.emit(event(1));
    await microtasks();
    host.read();
    host.acknowledge();
    host.read();
    assert.deepEqual(host.numbers, [0, 1]);
    assert.equal(host.clock.pending, 0);
  });

  it('cuts full frames at once, by number and by size, whatever is unacknowledged', async () => {
    const host = new Host();
    host.grant(10_000, 10_000_000);
    for (let n = 0; n < 2 * FRAME_MAX_EVENTS; n += 1) void host.sender.emit(event(n));
    host.read();
    assert.deepEqual(
      host.frames.map((frame) => frame.count),
      [FRAME_MAX_EVENTS, FRAME_MAX_EVENTS],
    );
    const large = 60_000;
    for (let n = 0; n < Math.ceil(FRAME_CUT_LENGTH / large); n += 1) void host.sender.emit(event(n, large));
    host.read();
    assert.equal(host.frames.length, 3);
  });

  it('tryEmit: takes nothing without credit, nor past others that wait for it', async () => {
    const host = new Host();
    assert.equal(host.sender.tryEmit(event(0)), null);
    const waits = host.sender.emit(event(1));
    host.grant(2, 1_000);
    assert.notEqual(host.sender.tryEmit(event(2)), null);
    assert.equal(host.sender.tryEmit(event(3)), null);
    await microtasks();
    host.read();
    host.acknowledge();
    assert.equal((await waits).id, eventId(PREFIX, 0));
    assert.deepEqual(host.numbers, [1, 2]);
  });

  it('tryEmit: takes nothing with events but without bytes', () => {
    const host = new Host();
    host.grant(10, 0);
    assert.equal(host.sender.tryEmit(event(0)), null);
  });

  it('drain: refuses what comes after it, and waits for what was taken before', async () => {
    const host = new Host();
    const before = host.sender.emit(event(0));
    let isDrained = false;
    const drained = host.sender.drain().then(() => {
      isDrained = true;
    });
    await assert.rejects(host.sender.emit(event(1)), { code: 'EVENT_ERR_STOPPING' });
    await assert.rejects(host.sender.tryEmit(event(2)) ?? Promise.resolve(), { code: 'EVENT_ERR_STOPPING' });
    await assert.rejects(host.sender.emitMany([event(3)]), { code: 'EVENT_ERR_STOPPING' });
    assert.equal(isDrained, false);
    host.grant(10, 1_000);
    await microtasks();
    host.read();
    assert.equal(isDrained, false);
    host.acknowledge();
    await Promise.all([before, drained]);
    assert.deepEqual(host.numbers, [0]);
    await host.sender.drain();
  });

  it('ignores an ack that it did not wait for, and its credit', async () => {
    const host = new Host();
    host.port.deliver({ kind: 'ack', sequence: 0, refusals: [], events: 100, bytes: 100_000 });
    assert.equal(host.sender.tryEmit(event(0)), null);
  });

  it('emitMany: rejects with the first refusal only after all have been answered', async () => {
    const host = new Host();
    host.grant(10, 10_000);
    const all = host.sender.emitMany([event(0), event(1), event(2)]);
    await microtasks();
    host.read();
    host.acknowledge((index) => index > 0);
    await assert.rejects(all, { code: 'EVENT_ERR_INVALID', message: 'no 1' });
  });

  const hostile: Record<string, { make: () => unknown; code: string }> = {
    'no object': { make: () => null, code: 'EVENT_ERR_INVALID' },
    'a type that is no string': { make: () => ({ ...event(0), type: 7 }), code: 'EVENT_ERR_INVALID' },
    'a type as long as a book': { make: () => ({ ...event(0), type: 't'.repeat(300) }), code: 'EVENT_ERR_INVALID' },
    'a source without text': { make: () => ({ ...event(0), source: Object.create(null) }), code: 'EVENT_ERR_SOURCE' },
    'a type that throws when read': {
      make: () => ({
        get type(): string {
          throw new Error('not today');
        },
      }),
      code: 'EVENT_ERR_NOT_SERIALISABLE',
    },
    'a message that throws when read': {
      make: () => ({
        type: 'a',
        get message(): string {
          throw new CodedError('A'.repeat(99), 'a code that is not for this wire');
        },
      }),
      code: 'EVENT_ERR_NOT_SERIALISABLE',
    },
    'a revoked proxy': {
      make: () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
      code: 'EVENT_ERR_NOT_SERIALISABLE',
    },
    'a circle': {
      make: () => {
        const metadata: Record<string, unknown> = {};
        metadata.self = metadata;
        return { ...event(0), metadata };
      },
      code: 'EVENT_ERR_NOT_SERIALISABLE',
    },
    'a bigint': { make: () => ({ ...event(0), metadata: { n: 1n } }), code: 'EVENT_ERR_NOT_SERIALISABLE' },
    'too many bytes': { make: () => event(0, 65_536), code: 'EVENT_ERR_TOO_LARGE' },
    'too many bytes in few characters': {
      make: () => ({ ...event(0), message: '€'.repeat(22_000) }),
      code: 'EVENT_ERR_TOO_LARGE',
    },
  };
  for (const [name, { make, code }] of Object.entries(hostile)) {
    it(`refuses ${name} with a code, tells the host in words, and goes on`, async () => {
      const host = new Host();
      host.grant(10, 100_000);
      await assert.rejects(host.sender.emit(make() as PluginEvent), { code });
      const [told] = host.port.take();
      assert.deepEqual([told?.kind, told?.kind === 'refused' && told.code], ['refused', code]);
      assert.equal(typeof (told?.kind === 'refused' && told.message), 'string');
      const after = host.sender.emit(event(1));
      await microtasks();
      host.read();
      host.acknowledge();
      assert.equal((await after).id, eventId(PREFIX, 0));
    });
  }
});
