import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Turns } from '../../../../ipc/runtime/guard/turns.ts';

describe('turns', () => {
  it('run so many at once, and the others in order', () => {
    const turns = new Turns(2);
    const ends: (() => void)[] = [];
    const started: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      turns.take((end) => {
        started.push(n);
        ends.push(end);
      });
    }
    assert.deepEqual(started, [0, 1]);
    ends[1]?.();
    ends[1]?.();
    assert.deepEqual(started, [0, 1, 2]);
    ends[0]?.();
    assert.deepEqual(started, [0, 1, 2, 3]);
  });

  it('throw at once what a function throws at once, and give it to the callback when it runs late', () => {
    const turns = new Turns(1);
    const fail = (): never => {
      throw new Error('bad argument');
    };
    assert.throws(() => turns.callback(fail, undefined, [() => undefined]), /bad argument/);
    let end = (): void => undefined;
    turns.callback((done: () => void) => (end = done), undefined, [() => undefined]);
    const seen: unknown[] = [];
    turns.callback(fail, undefined, [(error: unknown) => seen.push(error)]);
    assert.deepEqual(seen, []);
    end();
    assert.equal((seen as Error[])[0]?.message, 'bad argument');
  });
});
