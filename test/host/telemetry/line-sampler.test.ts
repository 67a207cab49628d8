import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineSampler } from '../../../host/telemetry/line-sampler.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function counting(written: string[]) {
  return {
    first: () => void written.push('first'),
    summary: (count: number, seconds: number) => void written.push(`${count} in ${seconds} s`),
  };
}

test('line sampler: writes the first at once and one count per window, then falls silent', async () => {
  const clock = new FakeClock();
  using sampler = new LineSampler({ clock });
  const written: string[] = [];
  for (let i = 0; i < 1_000; i += 1) sampler.note('a', counting(written));
  assert.deepEqual(written, ['first']);
  await clock.advance(10_000);
  sampler.note('a', counting(written));
  assert.deepEqual(written, ['first', '999 in 10 s'], 'a flood that goes on is only counted');
  await clock.advance(20_000);
  assert.deepEqual(written, ['first', '999 in 10 s', '1 in 10 s']);
  assert.equal(clock.pending, 0);
  sampler.note('a', counting(written));
  assert.equal(written.at(-1), 'first', 'after a quiet window it speaks at once again');
});

test('line sampler: keys beyond the bound share one window', () => {
  const clock = new FakeClock();
  using sampler = new LineSampler({ clock, maxKeys: 10 });
  const written: string[] = [];
  for (let i = 0; i < 1_000; i += 1) sampler.note(`key ${i}`, counting(written));
  assert.equal(written.length, 11);
  assert.equal(clock.pending, 11);
});

test('line sampler: what was noted is what was written, whatever the pace', async () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b'), count: fc.nat(5), waitMs: fc.nat(30_000) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.integer({ min: 1, max: 3 }), async (steps, burst) => {
      const clock = new FakeClock();
      const sampler = new LineSampler({ clock });
      let noted = 0;
      let written = 0;
      for (const { key, count, waitMs } of steps) {
        noted += count;
        const write = (more: number): void => {
          written += more;
        };
        sampler.note(key, { first: () => write(count), summary: write }, { count, burst });
        await clock.advance(waitMs);
      }
      sampler[Symbol.dispose]();
      assert.equal(written, noted);
      assert.equal(clock.pending, 0);
    }),
    { numRuns: 20 },
  );
});
