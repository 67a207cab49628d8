import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  judgeMemory,
  type MemoryHistory,
  type MemoryJudgement,
  NO_MEMORY_HISTORY,
} from '../../../host/sandbox/memory-policy.ts';

const MB = 1024 * 1024;
const LIMITS = { memoryBytes: 64 * MB };

/** One tick: time in ms since birth, raw size in MB, and in MB what an awaited collection left, if it was answered. */
type Step = readonly [at: number, raw: number, collected?: number];

function run(steps: readonly Step[], history: MemoryHistory = NO_MEMORY_HISTORY): MemoryJudgement[] {
  const judgements: MemoryJudgement[] = [];
  for (const [at, raw, collected] of steps) {
    const collectedBytes = collected === undefined ? null : collected * MB;
    const reading = { bornAt: 0, rawBytes: raw * MB, collectedBytes };
    const judgement = judgeMemory(history, reading, { limits: LIMITS, now: at });
    judgements.push(judgement);
    history = judgement.history;
  }
  return judgements;
}

function last(steps: readonly Step[]): string {
  const { verdict, ask } = run(steps).at(-1) as MemoryJudgement;
  if (verdict !== null) return `${verdict.reason}: ${verdict.detail}`;
  return ask ? 'ask' : 'nothing';
}

describe('memory policy', () => {
  const table: readonly (readonly [string, readonly Step[], string])[] = [
    ['nothing under the limit', [[5_000, 64]], 'nothing'],
    ['a collection over it', [[5_000, 65]], 'ask'],
    [
      'no second question while one waits',
      [
        [5_000, 65],
        [5_050, 70],
      ],
      'nothing',
    ],
    [
      'nothing when little is left, however large it was',
      [
        [5_000, 180],
        [5_050, 180, 30],
      ],
      'nothing',
    ],
    [
      'rest after a collection that found little',
      [
        [5_000, 80],
        [5_050, 80, 30],
        [6_000, 80],
      ],
      'nothing',
    ],
    [
      'the next collection after the rest',
      [
        [5_000, 80],
        [5_050, 80, 30],
        [6_050, 80],
      ],
      'ask',
    ],
    [
      'no rest when it has grown to twice the limit',
      [
        [5_000, 80],
        [5_050, 80, 30],
        [5_100, 129],
      ],
      'ask',
    ],
    [
      'one strike is no verdict',
      [
        [5_000, 80],
        [5_050, 80, 70],
      ],
      'nothing',
    ],
    [
      'a second collection after a strike',
      [
        [5_000, 80],
        [5_050, 80, 70],
        [5_250, 80],
      ],
      'ask',
    ],
    [
      'a leak after two strikes',
      [
        [5_000, 95],
        [5_050, 95, 90],
        [5_250, 95],
        [5_300, 95, 91],
      ],
      'leak: memory 91 MB after collection, limit 64 MB',
    ],
    [
      'no verdict about a little too much after two',
      [
        [5_000, 80],
        [5_050, 80, 71],
        [5_250, 80],
        [5_300, 80, 72],
      ],
      'nothing',
    ],
    [
      'a leak of a little too much after four',
      [
        [5_000, 80],
        [5_050, 80, 71],
        [5_250, 80],
        [5_300, 80, 72],
        [5_500, 80],
        [5_550, 80, 71],
        [5_750, 80],
        [5_800, 80, 70],
      ],
      'leak: memory 70 MB after collection, limit 64 MB',
    ],
    [
      'a strike forgotten after a good collection',
      [
        [5_000, 80],
        [5_050, 80, 70],
        [5_250, 80],
        [5_300, 80, 60],
        [6_300, 80],
        [6_350, 80, 70],
      ],
      'nothing',
    ],
    [
      'nothing held against a start',
      [
        [100, 90],
        [150, 90, 80],
        [350, 90],
        [400, 90, 80],
        [600, 90],
        [650, 90, 80],
      ],
      'nothing',
    ],
    [
      'a start that holds far too much',
      [
        [100, 140],
        [150, 140, 130],
        [200, 140],
        [250, 140, 135],
      ],
      'leak: memory 135 MB after collection, limit 64 MB',
    ],
    [
      'patience a little over the limit',
      [
        [5_000, 100],
        [6_450, 100],
      ],
      'nothing',
    ],
    [
      'an end to that patience',
      [
        [5_000, 100],
        [6_500, 100],
      ],
      'out_of_memory: memory 100 MB, limit 64 MB, and nothing could be collected for 1.5 s',
    ],
    [
      'less patience over three times the limit',
      [
        [5_000, 100],
        [5_350, 200],
      ],
      'nothing',
    ],
    [
      'a burst',
      [
        [5_000, 100],
        [5_400, 200],
      ],
      'out_of_memory: memory 200 MB, limit 64 MB, and nothing could be collected for 0.4 s',
    ],
    [
      'hardly any over six times',
      [
        [5_000, 100],
        [5_250, 400],
      ],
      'out_of_memory: memory 400 MB, limit 64 MB, and nothing could be collected for 0.3 s',
    ],
    ['none over twelve times, at any time', [[10, 770]], 'out_of_memory: memory 770 MB, limit 64 MB'],
    [
      'no verdict for silence when it has shrunk meanwhile',
      [
        [5_000, 100],
        [9_000, 60],
      ],
      'nothing',
    ],
  ];
  for (const [name, steps, expected] of table) it(`finds ${name}`, () => assert.equal(last(steps), expected));

  it('never ends a plugin whose collections are answered and find little, however much garbage it makes', () => {
    const tick = fc.record({
      ms: fc.integer({ min: 1, max: 400 }),
      raw: fc.integer({ min: 0, max: 760 }),
      left: fc.integer({ min: 0, max: 64 }),
    });
    fc.assert(
      fc.property(fc.array(tick, { maxLength: 200 }), (ticks) => {
        let history = NO_MEMORY_HISTORY;
        let now = 0;
        let isAsked = false;
        for (const { ms, raw, left } of ticks) {
          now += ms;
          const collectedBytes = isAsked ? left * MB : null;
          const judgement = judgeMemory(
            history,
            { bornAt: 0, rawBytes: raw * MB, collectedBytes },
            { limits: LIMITS, now },
          );
          assert.equal(judgement.verdict, null);
          history = judgement.history;
          isAsked = judgement.ask;
        }
      }),
    );
  });

  it('ends a leak, whatever its pace and however quickly it answers, with at most five collections', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 200 }), (mbPerSecond, answerMs) => {
        let history = NO_MEMORY_HISTORY;
        let askedAt: number | null = null;
        let asked = 0;
        for (let now = 2_000; ; now += 50) {
          const held = 60 + ((now - 2_000) * mbPerSecond) / 1_000;
          const isAnswered = askedAt !== null && now - askedAt >= answerMs;
          const collectedBytes = isAnswered ? held * MB : null;
          const { verdict, ask, ...next } = judgeMemory(
            history,
            { bornAt: 0, rawBytes: held * MB, collectedBytes },
            { limits: LIMITS, now },
          );
          if (isAnswered) askedAt = null;
          if (ask) {
            askedAt = now;
            asked += 1;
          }
          assert.ok(asked <= 5);
          if (verdict !== null) return;
          assert.ok(held < 6 * 64, 'a steady leak is found long before it is large');
          history = next.history;
        }
      }),
    );
  });
});
