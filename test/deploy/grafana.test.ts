/** The dashboard for Grafana: what it asks can be answered, and it arrives as it was made. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stringify } from 'yaml';
import { METRICS } from '../../host/telemetry/metric-catalogue.ts';
import { expressions, grafanaDashboard } from '../../scripts/chart/grafana-dashboard.ts';
import { AppHost } from '../support/app-host.ts';
import { findTool } from '../support/cluster/tools.ts';
import { CHART, missingHelm, render } from '../support/helm.ts';
import { tempDir } from '../support/temp-dir.ts';

const NO_PROMTOOL = findTool('promtool') === null && 'no promtool here: apt-get install prometheus';
const file = readFileSync(join(CHART, 'dashboards/khook.json'), 'utf8');
const dashboard = JSON.parse(file) as ReturnType<typeof grafanaDashboard>;
const asked = expressions(dashboard);
const panels = dashboard.panels as readonly {
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}[];

/** As Prometheus is sent it. */
function sent(expr: string): string {
  return expr.replaceAll('$namespace', 'kagent').replaceAll('$job', '.*').replaceAll('$__rate_interval', '5m');
}

describe('dashboard for Grafana', () => {
  it("is what 'npm run chart:generate' makes", () => {
    assert.deepEqual(dashboard, grafanaDashboard());
  });

  it('asks a question with each panel, says how to read it, and puts none over another', () => {
    const taken = new Set<string>();
    for (const { title, description, gridPos } of panels) {
      assert.match(title, /\?$/);
      assert.notEqual(description, '');
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = 0; x < gridPos.w; x += 1) {
        for (let y = 0; y < gridPos.h; y += 1) {
          const cell = `${gridPos.x + x} ${gridPos.y + y}`;
          assert.ok(!taken.has(cell), title);
          taken.add(cell);
        }
      }
    }
  });

  it('asks for metrics that a running host shows, with labels that they have', async (t) => {
    const host = await AppHost.start(t, {});
    const text = await (await fetch(`http://127.0.0.1:${host.app.ports.metrics}/metrics`)).text();
    const shown = new Set([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name));
    for (const expr of asked) {
      const used = expr.match(/\b(?:khook|nodejs|process)_\w+/g) ?? [];
      assert.ok(used.length > 0, expr);
      for (const name of used) assert.ok(shown.has(name.replace(/_bucket$/, '')), `${name} in ${expr}`);
      const labels = new Set(
        METRICS.filter(({ name }) => used.some((each) => each.replace(/_bucket$/, '') === name)).flatMap(
          (metric): readonly string[] => metric.labels,
        ),
      );
      const by = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
      for (const label of by) assert.ok(label === 'le' || labels.has(label), `${label} in ${expr}`);
      assert.ok(expr.includes('namespace="$namespace",job=~"$job"'), expr);
    }
  });

  it('is understood by Prometheus, each expression', { skip: NO_PROMTOOL }, (t) => {
    const rules = asked.map((expr, n) => ({ record: `panel:${n}`, expr: sent(expr) }));
    const path = join(tempDir(t), 'rules.yaml');
    writeFileSync(path, stringify({ groups: [{ name: 'dashboard', rules }] }));
    const { status, stderr } = spawnSync(findTool('promtool') ?? '', ['check', 'rules', path], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });

  it('is in the chart when it is wanted, for the sidecar to find', { skip: missingHelm() }, async () => {
    const usual = await render();
    assert.equal(usual.filter(({ metadata }) => metadata.name === 'khook-dashboard').length, 0);
    const [map] = (await render({ grafanaDashboard: { enabled: true, namespace: 'monitoring' } })).filter(
      ({ metadata }) => metadata.name === 'khook-dashboard',
    );
    assert.ok(map);
    assert.deepEqual([map.kind, map.metadata.namespace], ['ConfigMap', 'monitoring']);
    assert.equal(map.metadata.labels?.grafana_dashboard, '1');
    assert.deepEqual(JSON.parse((map.data as Record<string, string>)['khook.json'] ?? ''), dashboard);
  });
});
