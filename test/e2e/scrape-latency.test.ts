/** `/metrics` answers in no time while a plugin hangs, whatever the plugin runs in: a scrape asks no plugin. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { RunningHost } from '../support/running-host.ts';

const SCRAPES = 21;
const MEDIAN_MS = 50;

describe('a scrape while a plugin hangs', () => {
  for (const isolation of ['thread', 'process'] as const) {
    it(`takes less than ${MEDIAN_MS} ms (${isolation})`, async (t) => {
      const entry = { name: 'vice', isolation, config: { vice: 'never yield' }, limits: { hangTimeout: '8s' } };
      const host = await RunningHost.start(t, {
        bundles: { vice: 'test/fixtures/plugins/vice' },
        plugins: JSON.stringify({ plugins: [entry] }),
      });
      // The last thing that it says.
      await eventually(() => host.log.find(({ plugin, msg }) => plugin === 'vice' && msg === 'begins'));
      const times: number[] = [];
      for (let n = 0; n < SCRAPES; n += 1) {
        const startedAt = performance.now();
        const text = await (await fetch(`${host.metrics}/metrics`)).text();
        times.push(performance.now() - startedAt);
        assert.match(text, /^khook_plugin_active\{plugin="vice"\} 1$/m);
      }
      const { generation } = await host.plugin('vice', 'running');
      assert.equal(generation, 1);
      const median = times.sort((a, b) => a - b)[Math.floor(SCRAPES / 2)] ?? Number.POSITIVE_INFINITY;
      assert.ok(median < MEDIAN_MS, `median of ${SCRAPES} scrapes: ${median.toFixed(1)} ms`);
      t.diagnostic(`median ${median.toFixed(1)} ms, longest ${times.at(-1)?.toFixed(1)} ms`);
      // That it did hang is the host's own verdict.
      const reason = await eventually(async () => {
        const { flightRecords } = await host.json<{ flightRecords: { reason: string }[] }>('/api/v1/flight-records');
        return flightRecords[0]?.reason;
      });
      assert.equal(reason, 'hang');
    });
  }
});
