import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT_REASONS } from '../../host/sandbox/exit.ts';
import { DEAD_LETTER_REMOVALS, ERROR_TYPES } from '../../host/telemetry/event-metrics.ts';
import { CUSTOM_PREFIX, METRICS } from '../../host/telemetry/metric-catalogue.ts';
import { OUTCOMES } from '../../ipc/event.ts';
import { AppHost } from '../support/app-host.ts';
import { readDoc, tableRows } from '../support/docs.ts';
import { eventually } from '../support/eventually.ts';

describe('docs/metrics.md', () => {
  const rows = tableRows(readDoc('metrics.md'));

  it('has one row for each metric of the catalogue, with its type and labels, and none for any other', () => {
    const documented = rows.map(([name, type, labels]) => `${name} ${type} ${labels?.replaceAll('`', '')}`.trim());
    const catalogue = METRICS.map(({ name, type, labels }) => `${name} ${type} ${labels.join(' ')}`.trim());
    assert.deepEqual(documented.sort(), catalogue.sort());
  });

  it('asks a question of each', () => {
    for (const [name = '', , , question = ''] of rows) assert.match(question, /\?/, name);
  });

  it('lists every value of the closed labels', () => {
    const values = (metric: string): string => rows.find(([name]) => name === metric)?.[3] ?? '';
    const lists: readonly [metric: string, list: readonly string[]][] = [
      ['khook_plugin_errors_total', [...EXIT_REASONS, ...ERROR_TYPES]],
      ['khook_event_outcomes_total', OUTCOMES],
      ['khook_dead_letters_removed_total', DEAD_LETTER_REMOVALS],
    ];
    for (const [metric, list] of lists) {
      const named = [...values(metric).matchAll(/`(\w+)`/g)].map(([, value]) => value);
      assert.deepEqual(named.sort(), [...list].sort(), metric);
    }
  });

  it('names every family that a running host shows, and no other', async (t) => {
    const host = await AppHost.start(t, {
      plugins:
        'plugins: [{ name: puppet, config: { count: 3 } }]\nsettings: { shutdownGrace: 50ms, healthCheckInterval: 20ms }',
      bundles: { puppet: 'test/fixtures/plugins/puppet' },
    });
    await eventually(async () => (await host.metric('khook_plugin_custom_checks_total{plugin="puppet"}')) > 0);
    const text = await (await fetch(`http://127.0.0.1:${host.app.ports.metrics}/metrics`)).text();
    const shown = [...text.matchAll(/^# TYPE (khook_\w+) (\w+)$/gm)]
      .filter(([, name]) => !name?.startsWith(CUSTOM_PREFIX))
      .map(([, name, type]) => `${name} ${type}`);
    assert.deepEqual(shown.sort(), rows.map(([name, type]) => `${name} ${type}`).sort());
  });
});
