import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameTrial, MAX_POISONOUS } from '../../../host/match/frame-trial.ts';
import { DONE, type JudgedPart } from '../../../host/match/task-message.ts';
import { type Firing, VERDICTS, verdictAt } from '../../../host/match/verdict.ts';

const INVALID = String.fromCharCode(VERDICTS.indexOf('invalid'));
const FIRES = String.fromCharCode(VERDICTS.indexOf('fires'));

function firing(index: number, dedupKey = `key ${index}`): Firing {
  return { index, repeats: [], dedupKey } as unknown as Firing;
}

function judged(from: number, upTo: number, skip: readonly number[] = []): JudgedPart {
  let verdicts = '';
  const firings: Firing[] = [];
  for (let index = from; index < upTo; index += 1) {
    verdicts += skip.includes(index) ? INVALID : FIRES;
    if (!skip.includes(index)) firings.push(firing(index));
  }
  return { kind: 'judged', upTo, verdicts, causes: [], firings, broken: [], failedFilters: [] };
}

test('frame trial: every event has one verdict and at most one firing, however the pool breaks', () => {
  const step = fc.record({
    slice: fc.integer({ min: 1, max: 10 }),
    breaksAt: fc.option(fc.integer({ min: 0, max: 9 })),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.array(step, { minLength: 60, maxLength: 60 }), (count, steps) => {
      const trial = new FrameTrial({ count, frameTimeoutMs: 1_000, causes: [] });
      const broke: number[] = [];
      let i = 0;
      for (let next = trial.next(); next !== null; next = trial.next(), i += 1) {
        const { slice, breaksAt } = steps[i] ?? { slice: count, breaksAt: null };
        const at = breaksAt === null ? -1 : next.from + breaksAt;
        if (at >= next.from && at < next.to && !next.skip.includes(at)) {
          broke.push(at);
          assert.equal(trial.take({ kind: 'stuck', position: at })?.index, at);
        } else {
          const answer = judged(next.from, Math.min(next.to, next.from + slice), next.skip);
          assert.equal(trial.take({ kind: 'answered', answer }), null);
        }
      }
      const verdict = trial.verdict();
      assert.equal(verdict.verdicts.length, count);
      const gaveUpAt = broke.length >= MAX_POISONOUS ? (broke.at(-1) ?? count) : count;
      for (let index = 0; index < count; index += 1) {
        const isSetAside = broke.includes(index) || index > gaveUpAt;
        assert.equal(verdictAt(verdict, index), isSetAside ? 'invalid' : 'fires');
        assert.equal(verdict.causes.filter((cause) => cause.index === index).length, isSetAside ? 1 : 0);
        assert.equal(verdict.firings.filter((each) => each.index === index).length, isSetAside ? 0 : 1);
      }
    }),
  );
});

test('frame trial: equal keys in two parts are one firing with repeats', () => {
  const trial = new FrameTrial({ count: 4, frameTimeoutMs: 1_000, causes: [] });
  const part = (from: number): JudgedPart => {
    const first = { ...firing(from, 'same'), repeats: [from + 1], occurredAt: from };
    return { ...judged(from, from + 2), firings: [first] };
  };
  trial.take({ kind: 'answered', answer: part(0) });
  trial.take({ kind: 'answered', answer: part(2) });
  const { firings } = trial.verdict();
  assert.deepEqual(
    firings.map(({ index, repeats, occurredAt }) => [index, repeats, occurredAt]),
    [[0, [1, 2, 3], 2]],
  );
});

test('frame trial: the cause names the timeout or the death', () => {
  const trial = new FrameTrial({ count: 3, frameTimeoutMs: 1_000, causes: [] });
  assert.equal(trial.take({ kind: 'stuck', position: 0 })?.text, 'judging this event took longer than 1 s');
  const text = trial.take({ kind: 'died', position: 1, error: 'out of memory' })?.text;
  assert.equal(text, 'the matcher thread died while judging this event: out of memory');
  assert.deepEqual(trial.next(), { from: 0, to: 3, skip: [0, 1] });
});

test('frame trial: an answer that kills its thread is narrowed down to the event that is too much', () => {
  for (const tooMuch of [0, 5, 9]) {
    const trial = new FrameTrial({ count: 10, frameTimeoutMs: 1_000, causes: [] });
    let tries = 0;
    for (let next = trial.next(); next !== null; next = trial.next(), tries += 1) {
      const { from, to, skip } = next;
      const dies = from <= tooMuch && tooMuch < to && !skip.includes(tooMuch);
      if (dies) trial.take({ kind: 'died', position: DONE, error: 'out of memory' });
      else trial.take({ kind: 'answered', answer: judged(from, to, skip) });
    }
    const verdict = trial.verdict();
    const invalid = Array.from(verdict.verdicts, (_, index) => index).filter(
      (i) => verdictAt(verdict, i) === 'invalid',
    );
    assert.deepEqual(invalid, [tooMuch]);
    assert.deepEqual(verdict.causes, [
      { index: tooMuch, text: 'the matcher thread died of what this event fires: out of memory' },
    ]);
    assert.equal(verdict.firings.length, 9);
    assert.ok(tries < 20);
  }
});

test('frame trial: a pool that does not start is given up', () => {
  const trial = new FrameTrial({ count: 3, frameTimeoutMs: 1_000, causes: [] });
  assert.equal(trial.take({ kind: 'died', position: -1, error: 'no such file' }), null);
  assert.throws(() => trial.take({ kind: 'died', position: -1, error: 'no such file' }), {
    code: 'HOST_ERR_MATCH',
    message: /could not judge a frame of 3 events: its thread died: no such file/,
  });
});
