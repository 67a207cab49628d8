import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { graceFor, stopLadder } from '../../../host/config/stop-ladder.ts';

const grace = fc.integer({ min: 10, max: 600_000 });

test('stop ladder: each step is shorter than the one outside it, and leaves it time', () => {
  fc.assert(
    fc.property(grace, (graceMs) => {
      const { sourcesMs, pluginsMs, pluginMs, closeMs } = stopLadder(graceMs);
      assert.ok(0 < pluginMs && pluginMs < pluginsMs && pluginsMs < sourcesMs);
      assert.ok(sourcesMs + closeMs < graceMs && closeMs > 0);
    }),
  );
});

test('stop ladder: a stopTimeout fits into the grace period that is named for it, and into none shorter', () => {
  fc.assert(
    fc.property(grace, (stopTimeoutMs) => {
      const graceMs = graceFor(stopTimeoutMs);
      assert.ok(stopLadder(graceMs).pluginMs >= stopTimeoutMs);
      assert.ok(stopLadder(graceMs - 1).pluginMs < stopTimeoutMs);
    }),
  );
});

test('stop ladder: the default grace period holds the default stopTimeout', () => {
  assert.equal(stopLadder(10_000).pluginMs, 5_000);
});
