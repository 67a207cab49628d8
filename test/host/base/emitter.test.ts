import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Emitter } from '../../../host/base/emitter.ts';

interface Events {
  'thing:happened': { readonly n: number };
  'thing:ended': null;
}

describe('emitter', () => {
  it('tells each listener of the event, in order of subscription, and no other', () => {
    const emitter = new Emitter<Events>();
    const seen: string[] = [];
    emitter.on('thing:happened', ({ n }) => seen.push(`first ${n}`));
    emitter.on('thing:happened', ({ n }) => seen.push(`second ${n}`));
    emitter.on('thing:ended', () => seen.push('ended'));
    emitter.emit('thing:happened', { n: 1 });
    assert.deepEqual(seen, ['first 1', 'second 1']);
  });

  it('tells nothing to a listener that unsubscribed, twice or during the event', () => {
    const emitter = new Emitter<Events>();
    const seen: string[] = [];
    const off = emitter.on('thing:happened', () => seen.push('never'));
    off();
    off();
    const stops: (() => void)[] = [];
    emitter.on('thing:happened', () => {
      seen.push('stopper');
      for (const stop of stops) stop();
    });
    stops.push(emitter.on('thing:happened', () => seen.push('stopped')));
    emitter.emit('thing:happened', { n: 1 });
    emitter.emit('thing:happened', { n: 2 });
    assert.deepEqual(seen, ['stopper', 'stopper']);
  });

  it('does not tell an event to those who subscribe because of it', () => {
    const emitter = new Emitter<Events>();
    let told = 0;
    const again = (): void => {
      told += 1;
      assert.ok(told < 100, 'the event goes round in circles');
      emitter.on('thing:happened', again.bind(null));
    };
    emitter.on('thing:happened', again.bind(null));
    emitter.emit('thing:happened', { n: 1 });
    assert.equal(told, 1);
  });

  it('lets a listener that throws stop neither the others nor the one who emits, and reports it', (t) => {
    const reports: (() => void)[] = [];
    t.mock.method(globalThis, 'queueMicrotask', (report: () => void) => reports.push(report));
    const emitter = new Emitter<Events>();
    const seen: number[] = [];
    emitter.on('thing:happened', () => {
      throw new Error('a bug of the listener');
    });
    emitter.on('thing:happened', ({ n }) => seen.push(n));
    emitter.emit('thing:happened', { n: 1 });
    assert.deepEqual(seen, [1]);
    assert.equal(reports.length, 1);
    assert.throws(() => reports[0]?.(), { message: 'a bug of the listener' });
  });
});
