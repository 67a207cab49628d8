import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { chartValues, withTable } from '../../scripts/chart/values-table.ts';
import { codeBlocks, readDoc, section, tableRows } from '../support/docs.ts';
import { CHART, missingHelm, render } from '../support/helm.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const text = readDoc('kubernetes-install.md');
const values = readFileSync(join(CHART, 'values.yaml'), 'utf8');

describe('docs/kubernetes-install.md', () => {
  it('has one row for each value of the chart, and none for any other', () => {
    const paths = tableRows(section(text, '## Values')).map(([path]) => path);
    assert.deepEqual(
      paths,
      chartValues(values).map(({ path }) => path),
    );
    assert.equal(withTable(text, values), text, 'run `npm run chart:generate`');
  });

  it('names values that there are', () => {
    const known = chartValues(values).map(({ path }) => path);
    const sections = text.slice(0, text.indexOf('## Values'));
    const named = [...sections.matchAll(/`([a-z][A-Za-z]*(?:\.[A-Za-z]+)+)(?:: [^`]*)?`/g)].map(
      ([, name = '']) => name,
    );
    const set = [...sections.matchAll(/--set '?([\w.,={}-]+)/g)].flatMap(([, flags = '']) =>
      flags.split(/,(?![^{]*})/).map((flag) => flag.split('=')[0] ?? ''),
    );
    assert.ok(named.length > 10 && set.length > 2);
    const groups = new Set(known.flatMap((path) => path.split('.').slice(0, -1)));
    const unknown = [...named, ...set].filter(
      (name) =>
        !known.includes(name) &&
        groups.has(name.split('.')[0] ?? '') &&
        !name.startsWith('settings.') &&
        name !== 'kagent.dev',
    );
    assert.deepEqual(unknown, []);
  });

  it('shows the commands of the chart with the chart', () => {
    const commands = codeBlocks(text, 'bash').join('\n');
    assert.match(commands, /^helm install khook deploy\/helm\/khook -n kagent --create-namespace$/m);
  });
});

describe('rights in docs/kubernetes-install.md', { skip: missingHelm() }, () => {
  it('are those that the chart gives, one row for each', async () => {
    const rules = (await render())
      .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
      .flatMap((object) => object.rules as readonly Rule[]);
    const expected = rules.map(({ apiGroups, resources, verbs, resourceNames }) => {
      const names = resourceNames === undefined ? '' : `: ${resourceNames.join(', ')}`;
      return [apiGroups.join(), resources.join() + names, verbs.join(', ')].join(' | ');
    });
    const documented = tableRows(section(text, '## Rights')).map(([group, resource, verbs]) =>
      [group === 'core' ? '' : group, resource?.replaceAll('`', ''), verbs].join(' | '),
    );
    assert.deepEqual(documented.sort(), expected.sort());
  });
});
