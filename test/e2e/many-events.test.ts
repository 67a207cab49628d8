/** Three plugins and ten thousand events at once: none lost, none doubled, order kept per plugin. */

import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { RunningHost } from '../support/running-host.ts';

const EMITTER = join(import.meta.dirname, '../fixtures/plugins/emitter');
const COUNTS: Readonly<Record<string, number>> = { 'source-a': 3_334, 'source-b': 3_333, 'source-c': 3_333 };

it('many events: 10 000 of three plugins arrive once each, in the order of their plugin', async (t) => {
  const names = Object.keys(COUNTS);
  const host = await RunningHost.start(t, {
    plugins: `plugins:\n${names.map((name) => `  - { name: ${name}, config: { count: ${COUNTS[name]} }, rateLimit: { eventsPerSecond: 100000, burst: 1000 } }`).join('\n')}\n`,
    mappings: `mappings:\n${names.map((name) => `  - { eventSource: ${name}, eventType: happened, internalType: Happened }`).join('\n')}\n`,
  });
  const manifest = readFileSync(join(EMITTER, 'package.json'), 'utf8');
  for (const name of names) {
    cpSync(EMITTER, join(host.directory, 'plugins', name), { recursive: true });
    host.write(`plugins/${name}/package.json`, manifest.replace('"emitter"', `"${name}"`));
  }
  const ledger = await eventually(async () => {
    const now = await host.json<{
      received: number;
      inFlight: number;
      residual: number;
      outcomes: Record<string, number>;
    }>('/api/v1/ledger');
    assert.equal(now.residual, 0);
    return now.received === 10_000 && now.inFlight === 0 ? now : null;
  }, 30_000);
  assert.equal(ledger.outcomes.unmatched, 10_000);
  for (const name of names) {
    const { events } = await host.json<{ events: { message: string; id: string }[] }>(
      `/api/v1/events?plugin=${name}&limit=10000`,
    );
    const oldestFirst = events.reverse();
    assert.deepEqual(
      oldestFirst.map(({ message }) => message),
      Array.from({ length: COUNTS[name] ?? 0 }, (_, n) => `number ${n}`),
    );
    assert.equal(new Set(oldestFirst.map(({ id }) => id)).size, COUNTS[name]);
  }
});
