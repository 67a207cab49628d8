/**
 * Brings the chart and its documentation in line with khook: `npm run chart:generate`. The shipped configuration, the version, the dashboard
 * for Grafana, the table of values. Tests hold each of them.
 */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { grafanaDashboard } from './chart/grafana-dashboard.ts';
import { withTable } from './chart/values-table.ts';

const file = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(file(path), 'utf8');
const CHART = 'deploy/helm/khook';

for (const name of ['plugins.yaml', 'event-mappings.yaml'])
  copyFileSync(file(`config/${name}`), file(`${CHART}/files/${name}`));

const { version } = JSON.parse(read('package.json')) as { version: string };
const chart = read(`${CHART}/Chart.yaml`).replaceAll(/^(version|appVersion): .*$/gm, `$1: ${version}`);
writeFileSync(file(`${CHART}/Chart.yaml`), chart);

writeFileSync(file(`${CHART}/dashboards/khook.json`), `${JSON.stringify(grafanaDashboard(), null, 2)}\n`);

const doc = 'docs/kubernetes-install.md';
writeFileSync(file(doc), withTable(read(doc), read(`${CHART}/values.yaml`)));
process.stdout.write(`${CHART} and ${doc} are those of khook ${version}\n`);
