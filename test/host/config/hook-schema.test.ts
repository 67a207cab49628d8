import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hook } from '../../../host/config/hook.ts';
import { parseHook } from '../../../host/config/hook-schema.ts';
import { formatProblem, type Problem } from '../../../host/config/problem.ts';

const CONFIGURATION = {
  eventType: 'pod-restart',
  agentRef: { name: 'k8s-agent' },
  prompt: 'Look at {{.ResourceName}}',
};

function hookWith(spec: object, metadata: object = { name: 'h', namespace: 'team' }): object {
  return {
    apiVersion: 'kagent.dev/v1alpha2',
    kind: 'Hook',
    metadata,
    spec: { eventConfigurations: [CONFIGURATION], ...spec },
  };
}

function accepted(object: unknown): Hook {
  const read = parseHook(object, { origin: 'cluster' });
  assert.ok(read.kind === 'ok', JSON.stringify(read));
  return read.hook;
}

function refused(object: unknown): readonly Problem[] {
  const read = parseHook(object, { origin: 'cluster' });
  assert.ok(read.kind === 'bad', 'it should be refused');
  assert.ok(read.problems.length > 0);
  return read.problems;
}

test('Hook: the agent is in the namespace of the Hook unless it says otherwise', () => {
  const agentOf = (agent: object): string => {
    const { eventType, prompt } = CONFIGURATION;
    const found = accepted(hookWith({ eventConfigurations: [{ eventType, prompt, ...agent }] })).eventConfigurations[0]
      ?.agent;
    return `${found?.namespace}/${found?.name}`;
  };
  assert.equal(agentOf({ agentRef: { name: 'a' } }), 'team/a');
  assert.equal(agentOf({ agentRef: { name: 'a', namespace: 'kagent' } }), 'kagent/a');
  assert.equal(agentOf({ agentId: 'kagent/a' }), 'kagent/a');
  assert.equal(agentOf({ agentId: 'a' }), 'team/a');
});

test('Hook: what the API server adds is accepted', () => {
  const metadata = {
    name: 'h',
    namespace: 'team',
    uid: 'u',
    labels: { a: 'b' },
    managedFields: [{}],
    resourceVersion: '1',
  };
  const hook = accepted({
    ...hookWith({ suspend: true, namespaces: ['a', '*', 'a'] }, metadata),
    status: { activeEvents: [] },
  });
  assert.equal(hook.suspend, true);
  assert.deepEqual(hook.namespaces, ['a', '*']);
  assert.equal(hook.origin, 'cluster');
  assert.ok(Object.isFrozen(hook) && Object.isFrozen(hook.eventConfigurations));
});

test('Hook: without a namespace it belongs to the default one', () => {
  const object = hookWith({}, { name: 'h' });
  assert.equal(accepted(object).namespace, 'default');
  const read = parseHook(object, { origin: 'f', defaultNamespace: 'kagent' });
  assert.ok(read.kind === 'ok' && read.hook.namespace === 'kagent');
});

test('Hook: internal and raw types are both event types', () => {
  for (const eventType of ['PodRestart', 'pod-restart', 'a.b_c', 'x'.repeat(63)]) {
    accepted(hookWith({ eventConfigurations: [{ ...CONFIGURATION, eventType }] }));
  }
  for (const eventType of ['', '1a', 'a b', 'x'.repeat(64), 7]) {
    refused(hookWith({ eventConfigurations: [{ ...CONFIGURATION, eventType }] }));
  }
});

test('Hook: limits of configurations and prompts hold', () => {
  accepted(hookWith({ eventConfigurations: Array.from({ length: 50 }, () => CONFIGURATION) }));
  assert.match(
    refused(hookWith({ eventConfigurations: Array.from({ length: 51 }, () => CONFIGURATION) }))[0]?.message ?? '',
    /at most 50/,
  );
  assert.match(refused(hookWith({ eventConfigurations: [] }))[0]?.message ?? '', /cannot be empty/);
  accepted(hookWith({ eventConfigurations: [{ ...CONFIGURATION, prompt: 'x'.repeat(32_768) }] }));
  refused(hookWith({ eventConfigurations: [{ ...CONFIGURATION, prompt: 'x'.repeat(32_769) }] }));
  assert.equal(
    refused(hookWith({ eventConfigurations: [{ ...CONFIGURATION, prompt: ' \n' }] }))[0]?.message,
    'prompt cannot be empty',
  );
});

test('Hook: exactly one agent must be named', () => {
  const { agentRef, ...rest } = CONFIGURATION;
  assert.match(refused(hookWith({ eventConfigurations: [rest] }))[0]?.message ?? '', /no agent is named/);
  assert.match(
    refused(hookWith({ eventConfigurations: [{ ...rest, agentRef, agentId: 'a' }] }))[0]?.message ?? '',
    /twice/,
  );
  for (const agentId of ['', 'a/b/c', '/a', 'a/', 'A/b', 'a b'])
    refused(hookWith({ eventConfigurations: [{ ...rest, agentId }] }));
});

test('Hook: an unknown key is an error with a suggestion, and one of a newer version says so', () => {
  const [typing] = refused(hookWith({ eventConfigurations: [{ ...CONFIGURATION, promt: 'x' }] }));
  assert.equal(typing?.message, 'unknown Hook field: spec.eventConfigurations[0].promt');
  assert.match(typing?.fix ?? '', /did you mean 'prompt'\?/);
  const [newer] = refused(hookWith({ eventConfigurations: [{ ...CONFIGURATION, escalate: 'pager' }] }));
  assert.match(formatProblem(newer ?? assert.fail()), /escalate.*this version of khook does not know it/);
  assert.equal(newer?.subject, 'team/h');
  assert.equal(refused(hookWith({ suspended: true }))[0]?.path, 'spec.suspended');
});

test('Hook: what it may say about itself beyond the usual is carried, and absent when it says nothing', () => {
  const hook = accepted(
    hookWith({ filter: 'event.reason == "x"', fence: false, groupBy: 'workload', timeout: '1m30s', callsPerHour: 4 }),
  );
  const { filter, fence, groupBy, timeoutMs, callsPerHour } = hook;
  assert.deepEqual(
    [filter, fence, groupBy, timeoutMs, callsPerHour],
    ['event.reason == "x"', false, 'workload', 90_000, 4],
  );
  const silent = { filter: null, fence: null, groupBy: null, timeout: null, callsPerHour: null };
  for (const spec of [{}, silent]) {
    assert.deepEqual(Object.keys(accepted(hookWith(spec))).sort(), [
      'eventConfigurations',
      'name',
      'namespace',
      'namespaces',
      'origin',
      'suspend',
    ]);
  }
});

test('Hook: each of these has its bounds', () => {
  const wrong: Record<string, readonly unknown[]> = {
    filter: ['', ' ', 7, 'x'.repeat(4_097)],
    fence: ['yes', 0],
    groupBy: ['pod', true],
    timeout: ['90', 5, '999ms', '25h'],
    callsPerHour: [0, -1, 1.5, '4', 100_001],
  };
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values)
      assert.equal(refused(hookWith({ [field]: value }))[0]?.path, `spec.${field}`, String(value));
  }
  assert.equal(refused(hookWith({ filter: ' ' }))[0]?.message, 'filter cannot be empty');
  assert.match(refused(hookWith({ groupBy: 'pod' }))[0]?.message ?? '', /resource.*workload/);
  assert.match(refused(hookWith({ timeout: '1ms' }))[0]?.message ?? '', /between 1s and 24h/);
});

test('Hook: anything at all is refused without a throw', () => {
  const version = refused({ ...hookWith({}), apiVersion: 'kagent.dev/v1alpha1' });
  assert.match(version[0]?.message ?? '', /must be kagent.dev\/v1alpha2, got 'kagent.dev\/v1alpha1'/);
  for (const object of [null, undefined, 7, 'x', [], {}, { spec: null }, { metadata: { name: {} } }]) refused(object);
  refused(
    JSON.parse('{"apiVersion":"kagent.dev/v1alpha2","kind":"Hook","metadata":{"name":"h","__proto__":{}},"spec":{}}'),
  );
});
