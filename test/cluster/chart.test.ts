/** The chart installed in a real API server: it may do its work, and nothing else. No pod comes of it: there is no controller. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { ControlPlane } from '../support/cluster/control-plane.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { CHART } from '../support/helm.ts';

type Question = readonly [verb: string, resource: string, namespace?: string];

const EVERYWHERE: readonly Question[] = ['kagent', 'shop'].flatMap((namespace) => [
  ...['get', 'list', 'watch'].flatMap((verb): Question[] => [
    [verb, 'events.events.k8s.io', namespace],
    [verb, 'events', namespace],
    [verb, 'pods', namespace],
    [verb, 'hooks.kagent.dev', namespace],
  ]),
  ['patch', 'hooks.kagent.dev/status', namespace],
  ['create', 'events', namespace],
  ['patch', 'events', namespace],
]);
const CLUSTER_WIDE: readonly Question[] = [
  ...['get', 'list', 'watch'].flatMap((verb): Question[] => [
    [verb, 'nodes'],
    [verb, 'events.events.k8s.io', 'elsewhere'],
  ]),
];
const OWN: readonly Question[] = [
  ...['get', 'update', 'patch'].map((verb): Question => [verb, 'leases.coordination.k8s.io/khook', 'kagent']),
  ['create', 'leases.coordination.k8s.io', 'kagent'],
  ['patch', 'pods', 'kagent'],
];
const NEVER: readonly Question[] = [
  ['get', 'secrets', 'kagent'],
  ['list', 'secrets', 'shop'],
  ['get', 'configmaps', 'kagent'],
  ['delete', 'pods', 'kagent'],
  ['create', 'pods', 'kagent'],
  ['create', 'pods/exec', 'kagent'],
  ['patch', 'pods', 'shop'],
  ['delete', 'events', 'shop'],
  ['create', 'events.events.k8s.io', 'shop'],
  ['patch', 'hooks.kagent.dev', 'kagent'],
  ['delete', 'hooks.kagent.dev', 'kagent'],
  ['update', 'leases.coordination.k8s.io/other', 'kagent'],
  ['delete', 'leases.coordination.k8s.io/khook', 'kagent'],
  ['patch', 'nodes'],
  ['impersonate', 'users'],
  ['create', 'clusterrolebindings.rbac.authorization.k8s.io'],
];

describe('chart in a cluster', { skip: missingTools() }, () => {
  let plane: ControlPlane;

  const install = async (release: string, ...flags: string[]): Promise<string> => {
    const { code, stdout, stderr } = await plane.helm([
      'upgrade',
      '--install',
      '--reset-values',
      release,
      CHART,
      '-n',
      'kagent',
      ...flags,
    ]);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  /** `kubectl auth can-i`: `leases.coordination.k8s.io/khook` names one lease, `pods/exec` a subresource. */
  async function canI(
    [verb, target, namespace]: Question,
    user = 'system:serviceaccount:kagent:khook',
  ): Promise<boolean> {
    const [, resource = target, sub] = /^([^/]+)\/(status|exec)$/.exec(target) ?? [];
    const args = ['auth', 'can-i', verb, resource, `--as=${user}`];
    if (sub !== undefined) args.push(`--subresource=${sub}`);
    if (namespace !== undefined) args.push('-n', namespace);
    return (await plane.kubectl(args)).stdout.trim().endsWith('yes');
  }

  async function refused(questions: readonly Question[]): Promise<string[]> {
    const answers = await Promise.all(questions.map(async (question) => ({ question, may: await canI(question) })));
    return answers.filter(({ may }) => !may).map(({ question }) => question.join(' '));
  }

  before(async () => {
    plane = await ControlPlane.start();
    for (const name of ['kagent', 'shop', 'elsewhere', 'monitoring']) await plane.createNamespace(name);
  });
  after(() => plane?.stop());

  it('installs under one name, with everything the guide looks at, and twice without a change', async () => {
    assert.match(await install('khook'), /deployment\/khook in namespace kagent/);
    for (const what of [
      'deployment/khook',
      'serviceaccount/khook',
      'configmap/plugin-config',
      'configmap/event-mappings',
    ]) {
      assert.equal((await plane.kubectl(['get', what, '-n', 'kagent'])).code, 0, what);
    }
    await eventually(async () => (await plane.kubectl(['get', 'hooks', '-A'])).code === 0);
    const version = async (): Promise<unknown> =>
      (await plane.admin.get('/apis/apps/v1/namespaces/kagent/deployments/khook')).metadata.resourceVersion;
    const first = await version();
    await install('khook');
    assert.equal(await version(), first);
  });

  it('may do all that it has to, in every namespace, and nothing of what it must not', async () => {
    assert.deepEqual(await refused([...EVERYWHERE, ...CLUSTER_WIDE, ...OWN]), []);
    assert.deepEqual(
      await refused(NEVER),
      NEVER.map((question) => question.join(' ')),
    );
    assert.ok(await canI(['list', 'events']), 'the line of the troubleshooting guide');
    assert.ok(await canI(['create', 'selfsubjectaccessreviews.authorization.k8s.io']));
  });

  it('may do so in the given namespaces alone when it is given some', async () => {
    await install('khook', '--set', 'watchNamespaces={kagent,shop}');
    assert.deepEqual(await refused([...EVERYWHERE, ...OWN]), []);
    assert.deepEqual(
      await refused([...NEVER, ...CLUSTER_WIDE]),
      [...NEVER, ...CLUSTER_WIDE].map((q) => q.join(' ')),
    );
    // Every account may ask what it may do.
    assert.ok(await canI(['create', 'selfsubjectaccessreviews.authorization.k8s.io']));
  });

  it('leaves Hooks to those who may edit a namespace only when it is told to', async () => {
    await install('khook', '--set', 'rbac.aggregate=true');
    const { stdout } = await plane.kubectl([
      'get',
      'clusterroles',
      '-l',
      'rbac.authorization.k8s.io/aggregate-to-edit=true',
      '-o',
      'name',
    ]);
    assert.match(stdout, /khook-hooks-edit/);
    await install('khook');
    await eventually(async () => (await plane.kubectl(['get', 'clusterrole', 'khook-hooks-edit'])).code === 1);
  });

  it('leaves Hooks and the claim of the outbox when it is uninstalled', async () => {
    await install('khook', '--set', 'persistence.enabled=true');
    assert.equal((await plane.helm(['uninstall', 'khook', '-n', 'kagent'])).code, 0);
    assert.equal((await plane.kubectl(['get', 'pvc', 'khook-data', '-n', 'kagent'])).code, 0);
    assert.equal((await plane.kubectl(['get', 'crd', 'hooks.kagent.dev'])).code, 0);
    await eventually(async () => (await plane.kubectl(['get', 'deployment', 'khook', '-n', 'kagent'])).code === 1);
  });

  it('refuses to stand beside an older CustomResourceDefinition, and says what to do', async () => {
    await install('khook');
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/hooks.kagent.dev';
    const file = join(CHART, 'crds/hooks.yaml');
    const crd = parse(readFileSync(file, 'utf8')) as {
      spec: {
        versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: Record<string, unknown> } } } } }[];
      };
    };
    delete crd.spec.versions[0]?.schema.openAPIV3Schema.properties.spec.properties.filter;
    const current = await plane.admin.get(path);
    await plane.admin.replace(path, { ...crd, metadata: current.metadata });
    const { code, stderr } = await plane.helm(['upgrade', 'khook', CHART, '-n', 'kagent']);
    assert.equal(code, 1);
    assert.match(stderr, /lacks spec\.filter.*kubectl apply --server-side --force-conflicts/s);
    await install('khook', '--set', 'crds.check=false');
    const applied = await plane.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], {
      input: (await plane.helm(['show', 'crds', CHART])).stdout,
    });
    assert.equal(applied.code, 0, applied.stderr);
    await install('khook');
  });
});
