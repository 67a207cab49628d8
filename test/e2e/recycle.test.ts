/** What a user sees of a plugin that breaks: in the log, in the metrics, in the read API; and that its neighbour does not notice. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { FlightRecordSnapshot, PluginSnapshot } from '../../host/http/view.ts';
import { AppHost } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';

const BREAKER = 'test/fixtures/plugins/breaker';
const PUPPET = 'test/fixtures/plugins/puppet';
const STUBBORN = 'test/fixtures/plugins/stubborn';

function start(t: TestContext, plugins: readonly object[], settings: object = {}): Promise<AppHost> {
  const bundles = { breaker: BREAKER, puppet: PUPPET, stubborn: STUBBORN };
  const named = new Set(plugins.map((plugin) => (plugin as { name: string }).name));
  return AppHost.start(t, {
    plugins: JSON.stringify({ plugins, settings: { shutdownGrace: '2s', ...settings } }),
    bundles: Object.fromEntries(Object.entries(bundles).filter(([name]) => named.has(name))),
  });
}

async function records(host: AppHost, query = ''): Promise<FlightRecordSnapshot[]> {
  return (await host.json<{ flightRecords: FlightRecordSnapshot[] }>(`/api/v1/flight-records${query}`)).flightRecords;
}

async function snapshot(host: AppHost, name: string): Promise<PluginSnapshot> {
  const { plugins } = await host.json<{ plugins: PluginSnapshot[] }>('/api/v1/plugins');
  const found = plugins.find((plugin) => plugin.name === name);
  assert.ok(found !== undefined);
  return found;
}

describe('recycle', () => {
  it('leaves a flight record with the reason, the last events and the last lines, secrets taken out', async (t) => {
    const config = { afterMs: 300, lines: 60, message: 'cannot reach https://u:hunter2@example.org' };
    const host = await start(t, [{ name: 'breaker', config }]);
    const [record] = await eventually(async () => {
      const all = await records(host);
      return all.length >= 2 ? all.slice(-1) : null;
    });
    assert.ok(record !== undefined);
    assert.deepEqual([record.plugin, record.generation, record.reason, record.nextStartMs], ['breaker', 1, 'crash', 0]);
    assert.equal(record.detail, 'cannot reach https://u:[redacted]@example.org');
    assert.match(record.stack, /TypeError[\s\S]*breaker\/index\.ts/);
    assert.ok(record.uptimeMs >= 300 && record.uptimeMs < 10_000, String(record.uptimeMs));
    assert.ok(Math.abs(Date.parse(record.at) - Date.now()) < 60_000);
    assert.deepEqual(
      record.events.map(({ id, type }) => ({ id, type })),
      [{ id: `${record.id}-0`, type: 'happened' }],
    );
    const event = await host.json<{ plugin: string }>(`/api/v1/events/${record.events[0]?.id}`);
    assert.equal(event.plugin, 'breaker');
    assert.equal(record.log.length, 50);
    assert.equal(record.log.at(-1)?.message, 'breaking now, password=[redacted]');
    const { message, level, fields } = record.log.at(-2) ?? {};
    assert.deepEqual([message, level, fields], ['about to break', 'info', { n: 60, token: '[redacted]' }]);
    assert.ok(record.vitalSigns.length > 0);
    for (const { at } of record.vitalSigns) assert.ok(Date.parse(String(at)) <= Date.parse(record.at) + 1);
    assert.deepEqual(await records(host, '?plugin=puppet'), []);
    assert.ok((await records(host, '?plugin=breaker')).length >= 2);
    const refused = await fetch(`http://127.0.0.1:${host.app.ports.metrics}/api/v1/flight-records?limit=1`);
    assert.equal(refused.status, 400);
  });

  it('is one line of the log and one count, at its moment; the neighbour does not notice', async (t) => {
    const host = await start(t, [{ name: 'breaker' }, { name: 'puppet', config: { count: 100 } }]);
    await eventually(() => host.grep(/plugin breaker failed/).length >= 2);
    const [first, second] = host.log.filter(({ msg }) => /^plugin breaker failed/.test(msg));
    const ending = 'a bug in a callback; recycled, generation';
    assert.equal(first?.msg, `plugin breaker failed: crash: ${ending} 1, next start at once`);
    assert.match(
      second?.msg ?? '',
      new RegExp(`^plugin breaker failed: crash: ${ending} 2, next start (in \\d\\.\\d s|at once)$`),
    );
    assert.ok(
      host.log.some(({ msg, error }) => msg === 'Plugin panicked' && error === 'plugin panic: a bug in a callback'),
    );
    assert.ok((await host.metric('khook_plugin_restarts_total{plugin="breaker",reason="crash"}')) >= 2);
    const breaker = await snapshot(host, 'breaker');
    assert.ok((breaker.restarts.crash ?? 0) >= 2);
    assert.deepEqual([breaker.lastExit?.reason, breaker.lastExit?.detail], ['crash', 'a bug in a callback']);
    assert.equal(
      await eventually(
        async () => (await host.metric('khook_plugin_events_total{plugin="puppet",event_type="happened"}')) === 100,
      ),
      true,
    );
    const { generation, restarts } = await host.plugin('puppet', 'running');
    assert.deepEqual([generation, restarts], [1, {}]);
  });

  it('shows when the next start is due while a plugin backs off', async (t) => {
    const host = await start(t, [{ name: 'breaker' }]);
    const { reason, nextStartAt, retryAt } = await eventually(async () => {
      const breaker = await snapshot(host, 'breaker');
      return breaker.state === 'backing-off' && (breaker.restarts.crash ?? 0) > 2 ? breaker : null;
    });
    assert.equal(reason, 'backing-off: a bug in a callback');
    assert.ok(Math.abs(Date.parse(nextStartAt ?? '') - Date.now()) < 60_000, String(nextStartAt));
    assert.equal(retryAt, null);
  });

  it('reports a plugin that does not stop when it is asked to, and what it refused', async (t) => {
    const host = await start(t, [{ name: 'stubborn', limits: { stopTimeout: '200ms' } }]);
    await host.plugin('stubborn', 'running');
    const { unstopped } = await host.app.stop('the test says so');
    assert.equal(unstopped.length, 1);
    const [{ plugin, generation, refused } = { plugin: '', generation: 0, refused: [] }] = unstopped;
    assert.deepEqual([plugin, generation, refused.map(({ step }) => step)], ['stubborn', 1, ['stop']]);
    assert.match(host.grep(/plugin stubborn did not stop/)[0] ?? '', /did not stop within 0\.2 s and was terminated/);
  });

  it('says at once that a stopTimeout does not fit into shutdownGrace, and stops in time anyway', async (t) => {
    const host = await start(t, [{ name: 'stubborn', limits: { stopTimeout: '1m' } }], { shutdownGrace: '600ms' });
    await host.plugin('stubborn', 'running');
    const line = host.log.find(({ code }) => code === 'HOST_ERR_CONFIG_CONFLICT');
    assert.match(line?.msg ?? '', /'limits\.stopTimeout' \(1m\) .* 'settings\.shutdownGrace' \(600ms\)/);
    assert.equal(line?.level, 'warn');
    const startedAt = performance.now();
    await host.app.stop('the test says so');
    assert.ok(performance.now() - startedAt < 10_000);
    assert.ok(
      // Of 0.6 s a busy machine leaves too little to see the end of its thread.
      host.grep(/plugin stubborn did not stop within 0\.3 s(?: and was terminated|, did not terminate)/).length === 1,
      host.lines.join(''),
    );
  });
});
