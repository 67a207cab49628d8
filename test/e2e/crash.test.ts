/** Promise 2 against kill -9, at random moments under load. `npm run test:crash -- --kills 200` does it more often. */

import { it } from 'node:test';
import { CrashRun } from '../support/crash-run.ts';

const KILLS = Number(process.env.CRASH_KILLS ?? 20);
const SEED = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** mulberry32: the same seed draws the same moments, as far as a machine repeats itself. */
function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

it(`crash: after ${KILLS} kills each acknowledged event has reached the agent, under one messageId`, {
  timeout: 60_000 + KILLS * 10_000,
}, async (t) => {
  t.diagnostic(`CRASH_SEED=${SEED}`);
  const run = await CrashRun.start(t);
  t.diagnostic(JSON.stringify(await run.run(KILLS, seeded(SEED))));
});
