import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lines } from '../../../../ipc/runtime/guard/stdio.ts';
import { attempt, results } from './attempts.ts';

describe('guard: stdio', () => {
  it('makes log lines of what a plugin writes', async (t) => {
    const guarded = await attempt(t, 'stdio', { isGuarded: true });
    assert.deepEqual(results(guarded), {
      'lines and pieces': 'written',
      'a long line': 'written',
      console: 'done',
      raw: 'written',
      warning: 'warned',
      'end of input': '',
    });
    const lines = guarded.logs.map((line) => line.slice(0, 20));
    for (const line of ['info one', 'info two', 'info thré', 'info said 1', 'error complained', 'error raw']) {
      assert.ok(lines.includes(line), `no '${line}' in ${lines.join()}`);
    }
    assert.ok(lines.includes('warn OwnWarning: car'));
    assert.equal(Math.max(...guarded.logs.map(({ length }) => length)), 8_192 + 'info '.length);
  });
});

describe('lines', () => {
  it('come whole from pieces, without their ends, and the last without one', () => {
    const said: string[] = [];
    const lines = new Lines((line) => said.push(line));
    for (const piece of ['a', 'b\nc', '\r\n', '\n\n', 'd']) lines.write(piece);
    lines.end();
    assert.deepEqual(said, ['ab', 'c', 'd']);
  });

  it('keep no more than one line of a text without end', () => {
    const said: number[] = [];
    const lines = new Lines(({ length }) => said.push(length));
    for (let n = 0; n < 100; n += 1) lines.write('x'.repeat(1_000));
    assert.ok(said.every((length) => length <= 8_192));
    assert.ok(said.length >= 9);
  });
});
