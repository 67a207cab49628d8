/** What the chart installs, held against the rest of the project. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { RUN_FLAGS } from '../../host/commands/run-options.ts';
import { DEFAULT_SETTINGS } from '../../host/config/settings.ts';
import { METRICS } from '../../host/telemetry/metric-catalogue.ts';
import { CHART, type Manifest, missingHelm, render, renderText } from '../support/helm.ts';
import { variablesRead } from '../support/variables-read.ts';

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds: number;
  readonly enableServiceLinks: boolean;
  readonly serviceAccountName: string;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

function find(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  assert.ok(found, `${kind} ${name}`);
  return found;
}

function podOf(objects: readonly Manifest[]): PodSpec {
  return (find(objects, 'Deployment', 'khook').spec as { template: { spec: PodSpec } }).template.spec;
}

function khookOf(objects: readonly Manifest[]): Container {
  const found = podOf(objects).containers.find(({ name }) => name === 'khook');
  assert.ok(found);
  return found;
}

function names(objects: readonly Manifest[], ...kinds: readonly string[]): string[] {
  return objects
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? '-'}/${metadata.name}`)
    .sort();
}

describe('files of the chart', () => {
  it('are those that khook ships and is', () => {
    for (const name of ['plugins.yaml', 'event-mappings.yaml']) {
      const [shipped, copy] = [resolve('config', name), join(CHART, 'files', name)].map((file) =>
        readFileSync(file, 'utf8'),
      );
      assert.equal(copy, shipped, `${name}: run \`npm run chart:generate\``);
    }
    const { version } = JSON.parse(readFileSync(resolve('package.json'), 'utf8')) as { version: string };
    const chart = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as Record<string, string>;
    assert.deepEqual([chart.version, chart.appVersion], [version, version]);
  });
});

describe('chart', { skip: missingHelm(), concurrency: 2 }, () => {
  it('renders the same twice, so that a difference means something', async () => {
    assert.equal(await renderText(), await renderText());
  });

  it('installs what the troubleshooting guide asks for, under the names that it uses', async () => {
    const objects = await render();
    find(objects, 'Deployment', 'khook');
    find(objects, 'ServiceAccount', 'khook');
    assert.ok(objects.every(({ kind, metadata }) => metadata.namespace === 'kagent' || kind.startsWith('ClusterRole')));
    const text = (name: string, key: string): string | undefined =>
      (find(objects, 'ConfigMap', name).data as Record<string, string>)[key];
    for (const [name, key] of [
      ['plugin-config', 'plugins.yaml'],
      ['event-mappings', 'event-mappings.yaml'],
    ] as const) {
      assert.equal(text(name, key), readFileSync(resolve('config', key), 'utf8'));
    }
    const ports = objects
      .filter(({ kind }) => kind === 'Service')
      .flatMap(({ spec }) => (spec as { ports: { port: number }[] }).ports.map(({ port }) => port));
    assert.deepEqual(ports.sort(), [8080, 8081, 8090]);
  });

  it('takes plugins.yaml as text and as an object', async () => {
    for (const content of [
      { plugins: [], settings: { maxPlugins: 3 } },
      'plugins: []\nsettings: { maxPlugins: 3 }\n',
    ]) {
      const { data } = find(await render({ pluginConfig: { content } }), 'ConfigMap', 'plugin-config');
      const written = parse((data as Record<string, string>)['plugins.yaml'] ?? '') as unknown;
      assert.deepEqual(written, { plugins: [], settings: { maxPlugins: 3 } });
    }
  });

  it('runs khook with flags that it has and variables that it reads', async () => {
    const objects = await render({
      bundles: { configMaps: ['a'] },
      webhook: { auth: 'signature', existingSecret: 'a' },
    });
    const { args = [], env = [] } = khookOf(objects);
    const flags = RUN_FLAGS.map(({ name }) => name);
    for (const arg of args.slice(1)) assert.ok(flags.includes(arg.replace(/^--|=.*$/g, '')), arg);
    const shipped = readFileSync(resolve('config/plugins.yaml'), 'utf8');
    const read = await variablesRead();
    // POD_NAME is for the election of the leader.
    const isKnown = (name: string): boolean => read.includes(name) || shipped.includes(name) || name === 'POD_NAME';
    assert.deepEqual(
      env.map(({ name }) => name).filter((name) => !isKnown(name)),
      [],
    );
  });

  it('gives khook no more of the node than it needs', async () => {
    const bundles = { images: [{ name: 'a', image: 'example.com/a:1' }], configMaps: ['b'] };
    const { containers, initContainers = [], securityContext, ...pod } = podOf(await render({ bundles }));
    assert.equal(securityContext.runAsNonRoot, true);
    assert.ok(Number(securityContext.runAsUser) > 0);
    assert.deepEqual(securityContext.seccompProfile, { type: 'RuntimeDefault' });
    assert.equal(initContainers.length, 3);
    for (const container of [...containers, ...initContainers]) {
      assert.deepEqual(
        container.securityContext,
        { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        container.name,
      );
    }
    assert.ok(containers[0]?.resources?.limits?.memory);
    assert.equal(pod.enableServiceLinks, false);
    const writable = khookOf(await render()).volumeMounts.filter(({ readOnly }) => readOnly !== true);
    assert.deepEqual(
      writable.map(({ mountPath }) => mountPath),
      ['/var/lib/khook', '/tmp'],
    );
  });

  it('leaves khook longer to stop than khook takes', async () => {
    const { terminationGracePeriodSeconds } = podOf(await render());
    assert.ok(terminationGracePeriodSeconds * 1_000 >= 2 * DEFAULT_SETTINGS.shutdownGraceMs);
  });

  it('sends webhooks to the leader, and metrics and health to every pod', async () => {
    const objects = await render({ replicaCount: 2 });
    const selector = (name: string): Record<string, string> =>
      (find(objects, 'Service', name).spec as { selector: Record<string, string> }).selector;
    const { 'khook.kagent.dev/leader': leader, ...others } = selector('khook-webhook');
    assert.equal(leader, 'true');
    assert.deepEqual(others, selector('khook-metrics'));
    const labels = (find(objects, 'Deployment', 'khook').spec as { template: { metadata: Manifest['metadata'] } })
      .template.metadata.labels;
    assert.equal(labels?.['khook.kagent.dev/leader'], undefined);
    for (const [key, value] of Object.entries(others)) assert.equal(labels?.[key], value);
    const alone = find(await render({ leaderElection: { enabled: false } }), 'Service', 'khook-webhook');
    assert.deepEqual((alone.spec as { selector: unknown }).selector, others);
  });

  it('lets two pods stand side by side only where both can', async () => {
    const strategy = async (values: unknown): Promise<unknown> =>
      (find(await render(values), 'Deployment', 'khook').spec as { strategy: { type: string } }).strategy.type;
    assert.equal(await strategy({}), 'RollingUpdate');
    assert.equal(await strategy({ persistence: { enabled: true } }), 'Recreate');
    assert.equal(await strategy({ leaderElection: { enabled: false } }), 'Recreate');
  });

  it('asks for the events of the guide, and for nothing that reads Secrets or changes what it watches', async () => {
    const { rules } = find(await render(), 'ClusterRole', 'khook') as unknown as { rules: Rule[] };
    const verbs = (group: string, resource: string): string[] =>
      rules
        .filter((rule) => rule.apiGroups.includes(group) && rule.resources.includes(resource))
        .flatMap((rule) => [...rule.verbs])
        .sort();
    assert.deepEqual(verbs('events.k8s.io', 'events'), ['get', 'list', 'watch']);
    assert.deepEqual(verbs('', 'events'), ['create', 'get', 'list', 'patch', 'watch']);
    assert.deepEqual(verbs('kagent.dev', 'hooks'), ['get', 'list', 'watch']);
    assert.deepEqual(verbs('kagent.dev', 'hooks/status'), ['patch']);
    const written = rules.filter((rule) => !rule.verbs.every((verb) => ['get', 'list', 'watch'].includes(verb)));
    assert.deepEqual(written.flatMap((rule) => rule.resources).sort(), [
      'events',
      'hooks/status',
      'selfsubjectaccessreviews',
    ]);
    assert.ok(rules.every((rule) => ![...rule.resources, ...rule.verbs, ...rule.apiGroups].includes('*')));
  });

  it('stays inside its namespaces when it is given some', async () => {
    const objects = await render({ watchNamespaces: ['shop', 'kagent'] });
    assert.deepEqual(names(objects, 'ClusterRole', 'ClusterRoleBinding'), []);
    assert.deepEqual(names(objects, 'Role'), [
      'Role kagent/khook',
      'Role kagent/khook-config',
      'Role kagent/khook-leader-election',
      'Role shop/khook',
    ]);
    assert.equal(khookOf(objects).env?.find(({ name }) => name === 'WATCH_NAMESPACE')?.value, 'shop,kagent');
  });

  it('can stand twice in one cluster', async () => {
    const [one, other] = await Promise.all(
      ['a', 'b'].map((name) =>
        render({ pluginConfig: { name: `p-${name}` }, eventMappings: { name: `e-${name}` } }, name),
      ),
    );
    const ids = (objects: readonly Manifest[] = []): string[] =>
      objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    assert.deepEqual(
      ids(one).filter((id) => ids(other).includes(id)),
      [],
    );
  });

  it('alerts on metrics that there are', async () => {
    const objects = await render({ metrics: { prometheusRule: { enabled: true } } });
    const { groups } = find(objects, 'PrometheusRule', 'khook').spec as {
      groups: { rules: { alert: string; expr: string }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    assert.ok(rules.length > 5);
    const known = METRICS.map(({ name }) => name as string);
    for (const { alert, expr } of rules) {
      const used = expr.match(/khook_[a-z_]+/g) ?? [];
      assert.ok(used.length > 0, alert);
      for (const name of used) assert.ok(known.includes(name), `${alert}: ${name}`);
    }
  });
});
