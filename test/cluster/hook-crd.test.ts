/** The CustomResourceDefinition of Hooks in a real API server. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { parseHook } from '../../host/config/hook-schema.ts';
import { type HookStatus, MAX_ACTIVE_EVENTS } from '../../host/config/hook-status.ts';
import { ApiStatusError } from '../support/cluster/api-client.ts';
import { ControlPlane } from '../support/cluster/control-plane.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';

const CRD = resolve('deploy/helm/khook/crds/hooks.yaml');
const HOOKS = '/apis/kagent.dev/v1alpha2/namespaces/kagent/hooks';
const ONE = { eventType: 'pod-restart', agentRef: { name: 'k8s-agent' }, prompt: 'Look at {{.ResourceName}}.' };
const { agentRef, ...NAMELESS } = ONE;

const hook = (spec: unknown, name = 'web'): Record<string, unknown> => ({
  apiVersion: 'kagent.dev/v1alpha2',
  kind: 'Hook',
  metadata: { name, namespace: 'kagent' },
  spec,
});
const one = (changes: object): unknown => hook({ eventConfigurations: [{ ...ONE, ...changes }] });
const wide = (changes: object): unknown => hook({ eventConfigurations: [ONE], ...changes });

const GOOD: Readonly<Record<string, unknown>> = {
  'an event type of a plugin': one({ eventType: 'webhook-received' }),
  'an internal type': one({ eventType: 'PodRestart' }),
  'an agent of another namespace': one({ agentRef: { ...agentRef, namespace: 'shop' } }),
  'agentId with a namespace': hook({ eventConfigurations: [{ ...NAMELESS, agentId: 'kagent/k8s-agent' }] }),
  'agentId without one': hook({ eventConfigurations: [{ ...NAMELESS, agentId: 'k8s-agent' }] }),
  'agentId and an agentRef of null': one({ agentRef: null, agentId: 'k8s-agent' }),
  'a prompt of many lines and letters': one({ prompt: '🚨 {{.EventMessage}}\n  • näher ansehen\n' }),
  'fifty configurations': hook({ eventConfigurations: Array.from({ length: 50 }, () => ONE) }),
  'everything that a Hook may say': wide({
    namespaces: ['*', 'shop'],
    suspend: true,
    filter: "event.severity == 'warning'",
    fence: false,
    groupBy: 'workload',
    timeout: '1m30.5s',
    callsPerHour: 10,
  }),
  'everything it may leave to the default': wide({
    ...{ namespaces: null, suspend: null, filter: null, fence: null, groupBy: null, timeout: null, callsPerHour: null },
  }),
  'the shortest and the longest timeout': wide({ timeout: '1000ms' }),
  'a day': wide({ timeout: '24h' }),
};

const BAD: Readonly<Record<string, unknown>> = {
  'no specification': { ...hook({}), spec: undefined },
  'no configuration': hook({ eventConfigurations: [] }),
  'too many configurations': hook({ eventConfigurations: Array.from({ length: 51 }, () => ONE) }),
  'no agent': hook({ eventConfigurations: [NAMELESS] }),
  'an agent named twice': one({ agentId: 'k8s-agent' }),
  'an agent without a name': one({ agentRef: {} }),
  'a name with a space': one({ agentRef: { name: 'k8s agent' } }),
  'agentId with two namespaces': hook({ eventConfigurations: [{ ...NAMELESS, agentId: 'a/b/c' }] }),
  'an event type with a space': one({ eventType: 'pod restart' }),
  'an event type that is too long': one({ eventType: 'a'.repeat(64) }),
  'a blank prompt': one({ prompt: ' \n\t' }),
  'a prompt that is too long': one({ prompt: 'x'.repeat(32_769) }),
  'a blank filter': wide({ filter: ' ' }),
  'another star': wide({ namespaces: ['shop-*'] }),
  'another grouping': wide({ groupBy: 'node' }),
  'a timeout that is too short': wide({ timeout: '999ms' }),
  'a timeout that is too long': wide({ timeout: '24h1s' }),
  'a timeout that is none': wide({ timeout: 'soon' }),
  'a timeout without a unit': wide({ timeout: 30 }),
  'no call per hour': wide({ callsPerHour: 0 }),
  'a field that nobody knows': wide({ fliter: 'true' }),
};

/** What upstream's definition allows of a Hook, in short. */
function olderDefinition(): Record<string, unknown> {
  const crd = parse(readFileSync(CRD, 'utf8')) as { spec: { versions: Record<string, unknown>[] } };
  const ref = {
    type: 'object',
    properties: { name: { type: 'string' }, namespace: { type: 'string' } },
    required: ['name'],
  };
  const types = ['pod-restart', 'pod-pending', 'oom-kill', 'probe-failed'];
  const properties = {
    eventType: { type: 'string', enum: types },
    agentRef: ref,
    prompt: { type: 'string', minLength: 1 },
  };
  const items = { type: 'object', properties, required: Object.keys(properties) };
  const spec = { type: 'object', properties: { eventConfigurations: { type: 'array', minItems: 1, items } } };
  const [version] = crd.spec.versions;
  const schema = {
    openAPIV3Schema: { type: 'object', properties: { spec, status: { type: 'object', properties: {} } } },
  };
  const { additionalPrinterColumns: _, ...rest } = version ?? {};
  return { ...crd, spec: { ...crd.spec, versions: [{ ...rest, schema }] } };
}

describe('CustomResourceDefinition of Hooks in a cluster', { skip: missingTools() }, () => {
  let plane: ControlPlane;

  /** The API server needs a moment to serve a new definition. */
  const accepts = async (object: unknown): Promise<string | null> => {
    try {
      await plane.admin.create(`${HOOKS}?dryRun=All&fieldValidation=Strict`, object);
      return null;
    } catch (error) {
      if (error instanceof ApiStatusError && error.code !== 404) return error.message;
      throw error;
    }
  };

  before(async () => {
    plane = await ControlPlane.start();
    await plane.createNamespace('kagent');
    const older = await plane.kubectl(['apply', '--server-side', '-f', '-'], {
      input: JSON.stringify(olderDefinition()),
    });
    assert.equal(older.code, 0, older.stderr);
    await eventually(() => plane.admin.create(HOOKS, hook({ eventConfigurations: [ONE] }, 'older')));
    assert.match(String(await accepts(one({ eventType: 'PodRestart' }))), /eventType/);
    const applied = await plane.kubectl([
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager=other',
      '-f',
      CRD,
    ]);
    assert.equal(applied.code, 0, applied.stderr);
    await eventually(async () => (await accepts(one({ eventType: 'PodRestart' }))) === null);
  });
  after(() => plane?.stop());

  it('takes the place of an older one without losing a Hook', async () => {
    const { spec } = await plane.admin.get<{ spec: unknown }>(`${HOOKS}/older`);
    assert.deepEqual(spec, { eventConfigurations: [ONE] });
    // An update of what was written before still passes.
    await plane.admin.patch(`${HOOKS}/older`, { metadata: { labels: { a: 'b' } } });
  });

  it('is structural, and established', async () => {
    const crd = await plane.admin.get<{ status: { conditions: { type: string; status: string }[] } }>(
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/hooks.kagent.dev',
    );
    const conditions = Object.fromEntries(crd.status.conditions.map(({ type, status }) => [type, status]));
    assert.equal(conditions.Established, 'True');
    assert.equal(conditions.NonStructuralSchema, undefined);
  });

  for (const [what, object] of Object.entries(GOOD)) {
    it(`takes, as khook does: ${what}`, async () => {
      assert.equal(await accepts(object), null);
      assert.equal(parseHook(object, { origin: 'cluster' }).kind, 'ok');
    });
  }

  for (const [what, object] of Object.entries(BAD)) {
    it(`refuses, as khook does: ${what}`, async () => {
      assert.notEqual(await accepts(object), null);
      assert.equal(parseHook(object, { origin: 'cluster' }).kind, 'bad');
    });
  }

  it('takes the sample Hooks that khook ships', async () => {
    for (const name of ['pod-monitoring.yaml', 'webhook-demo.yaml']) {
      for (const document of parseAllDocuments(readFileSync(join('config/hooks', name), 'utf8'))) {
        const sample = document.toJS() as { metadata: object };
        assert.equal(await accepts({ ...sample, metadata: { ...sample.metadata, namespace: 'kagent' } }), null, name);
      }
    }
  });

  it('takes the status that older khooks wrote, and the fullest that khook writes', async () => {
    await plane.admin.create(HOOKS, hook({ eventConfigurations: [ONE] }, 'status'));
    const now = '2026-01-02T03:04:05Z';
    const seen = {
      eventType: 'pod-restart',
      resourceName: 'web-0',
      firstSeen: now,
      lastSeen: now,
      status: 'firing' as const,
    };
    const write = (status: unknown): Promise<unknown> => plane.admin.patch(`${HOOKS}/status/status`, { status });
    await write({ activeEvents: [seen], lastUpdated: now });
    const condition = {
      type: 'Ready',
      status: 'True' as const,
      lastTransitionTime: now,
      reason: 'InForce',
      message: '',
    };
    const full = Array.from({ length: MAX_ACTIVE_EVENTS }, (_, n) => ({
      ...{ ...seen, resourceName: `web-7d4b9c6f5-${n}`, namespace: 'shop', source: 'kubernetes', lastNotified: now },
      messageId: '00000000-0000-0000-0000-000000000000',
    }));
    const status: HookStatus = {
      ...{ observedGeneration: 1, activeEvents: full, activeEventCount: full.length, lastFired: now, lastUpdated: now },
      conditions: [
        { ...condition, observedGeneration: 1 },
        { ...condition, type: 'AgentReachable', status: 'Unknown' },
      ],
    };
    await write(status);
    await assert.rejects(write({ activeEvents: [...full, seen] }), /at most 1000 items/);
    await assert.rejects(write({ conditions: [condition, condition] }), /Duplicate value/);
    await assert.rejects(write({ activeEvents: [{ ...seen, status: 'gone' }] }), /firing/);
  });

  it('prints columns that tell at a glance what a Hook does', async () => {
    await plane.admin.create(HOOKS, hook({ eventConfigurations: [ONE], suspend: true }, 'columns'));
    const lastTransitionTime = '2026-01-02T03:04:05Z';
    const condition = { type: 'Ready', status: 'False', lastTransitionTime, reason: 'Suspended', message: '' };
    const lastFired = new Date(Date.now() - 300_000).toISOString();
    const status = { conditions: [condition], activeEventCount: 3, lastFired };
    await plane.admin.patch(`${HOOKS}/columns/status`, { status });
    const { stdout } = await plane.kubectl(['get', 'hk', '-n', 'kagent', 'columns']);
    const [head = '', row = ''] = stdout.split('\n');
    assert.match(head, /^NAME +READY +ACTIVE +LAST FIRED +AGE$/);
    assert.match(row, /^columns +False +3 +5m\d*s? +\d+s$/);
    const wideOutput = await plane.kubectl(['get', 'hooks', '-n', 'kagent', 'columns', '-o', 'wide']);
    assert.match(wideOutput.stdout, /AGENTS REACHABLE +SUSPENDED/);
  });
});
