/** Prometheus' own tool judges what khook shows and what the chart alerts on. */

import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stringify } from 'yaml';
import { findTool } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { missingHelm, render } from '../support/helm.ts';
import { freePort, RunningHost } from '../support/running-host.ts';
import { tempDir } from '../support/temp-dir.ts';

const NO_PROMTOOL = findTool('promtool') === null && 'no promtool here: apt-get install prometheus';

function promtool(args: readonly string[], input = ''): SpawnSyncReturns<string> {
  return spawnSync(findTool('promtool') ?? 'promtool', args, { input, encoding: 'utf8' });
}

describe('promtool', { skip: NO_PROMTOOL }, () => {
  it('finds nothing wrong with the metrics of khook and its plugins', async (t) => {
    const port = await freePort();
    const host = await RunningHost.start(t, {
      plugins: `plugins:
  - { name: webhook, config: { port: ${port} }, permissions: { net: { listen: [${port}] }, env: [WEBHOOK_TOKEN, WEBHOOK_SECRET] } }
  - { name: puppet, config: { count: 3 } }
  - { name: thrower, config: { where: later } }
settings: { shutdownGrace: 50ms, healthCheckInterval: 20ms }
`,
      bundles: {
        webhook: 'plugins/webhook',
        puppet: 'test/fixtures/plugins/puppet',
        thrower: 'test/fixtures/plugins/thrower',
      },
    });
    await host.plugin('webhook', 'running');
    const sent = await fetch(`http://127.0.0.1:${port}/webhook`, { method: 'POST', body: '{}' });
    assert.equal(sent.status, 200);
    const text = await eventually(async () => {
      const scraped = await (await fetch(`${host.metrics}/metrics`)).text();
      const isWhole =
        /^khook_plugin_custom_checks_total/m.test(scraped) && /^khook_plugin_restarts_total/m.test(scraped);
      return isWhole ? scraped : null;
    });
    const { status, stderr } = promtool(['check', 'metrics'], text);
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.match(text, /^nodejs_active_resources\{type="/m);
  });

  it('takes the alert rules of the chart', { skip: missingHelm() }, async (t) => {
    const objects = await render({ metrics: { prometheusRule: { enabled: true, alertLabels: { team: 'sre' } } } });
    const rule = objects.find(({ kind }) => kind === 'PrometheusRule');
    assert.ok(rule);
    const file = join(tempDir(t), 'rules.yaml');
    writeFileSync(file, stringify(rule.spec));
    const { status, stdout, stderr } = promtool(['check', 'rules', '--lint=all', '--lint-fatal', file]);
    assert.equal(status, 0, stderr);
    const { groups } = rule.spec as { groups: { rules: unknown[] }[] };
    assert.match(stdout, new RegExp(`SUCCESS: ${groups.flatMap(({ rules }) => rules).length} rules found`));
  });
});
