import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { attempt } from './attempts.ts';

/** The vice, and the message that reaches the host (its first word, where it is cut). */
const VICES: readonly [vice: string, message: RegExp][] = [
  ['string', /^x{4096}$/],
  ['property', /^with luggage$/],
  ['prototype property', /^with inherited luggage$/],
  ['uncloneable', /^uncloneable$/],
  ['throwing getter', /^\[object Object\]$/],
  ['prepareStackTrace', /^stackless$/],
  ['handler', /^swallowed$/],
  ['rejection handler', /^rejected$/],
  ['replaced emit', /^swallowed by emit$/],
  ['monitor that throws', /^monitored$/],
  ['replaced exit', /^stays$/],
  ['replaced serialisation', /^serialised$/],
  ['poisoned strings', /^x{4096}$/],
];

describe('guard: errors', () => {
  it('a plain worker lets its plugin swallow them, or hands the host all of them', async (t) => {
    const swallowed = await attempt(t, 'errors', { isGuarded: false, facts: { vice: 'handler' } });
    assert.deepEqual([swallowed.exitCode, swallowed.errors], [null, []]);
    const large = await attempt(t, 'errors', { isGuarded: false, facts: { vice: 'string' } });
    assert.ok(String(large.errors[0]).length >= 2_000_000);
  });

  for (const [vice, message] of VICES) {
    it(`end the thread with bounded text: ${vice}`, async (t) => {
      const { worker, errors, exitCode, logs } = await attempt(t, 'errors', { isGuarded: true, facts: { vice } });
      if (errors.length === 0) await once(worker, 'error');
      assert.equal(exitCode, 1);
      const [error, ...more] = errors as (Error & { code: string })[];
      assert.ok(error instanceof Error && more.length === 0);
      assert.match(error.message, message);
      assert.equal(error.code, 'PLUGIN_ERR_THROWN');
      assert.ok((error.stack ?? '').length <= 8_192);
      const size = Object.getOwnPropertyNames(error).map((key) => String(Reflect.get(error, key)).length);
      assert.ok(size.reduce((sum, length) => sum + length) < 20_000, 'the whole of it is bounded');
      assert.ok(logs.includes('debug flushed'), 'the last log lines were sent');
    });
  }
});
