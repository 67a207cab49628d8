import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podOwner, workloadOf } from '../../../host/match/workload.ts';

test('workload: the owner of a pod is told by its name', () => {
  const owners: Record<string, string> = {
    'web-7d4b9c6f5-abcde': 'web',
    'web-api-5d8f9c7b64-x2x7k': 'web-api',
    'web-2-7d4b9c6f5-abcde': 'web-2',
    'web-0': 'web',
    'kafka-broker-12': 'kafka-broker',
    'node-exporter-x7k2p': 'node-exporter',
    'backup-28401240-x7k2p': 'backup',
    web: 'web',
    'my-service-alpha': 'my-service-alpha',
    'payment-gateway': 'payment-gateway',
    'etcd-control-plane': 'etcd-control-plane',
  };
  for (const [pod, owner] of Object.entries(owners)) assert.equal(podOwner(pod), owner, pod);
});

test('workload: who sends an event may say what it belongs to', () => {
  const event = { resourceName: 'web-0', message: 'm' };
  assert.equal(workloadOf(event), 'web');
  assert.equal(workloadOf({ ...event, metadata: { owner: 'shop' } }), 'shop');
  assert.equal(workloadOf({ ...event, metadata: { owner: { kind: 'StatefulSet', name: 'db' } } }), 'db');
  assert.equal(workloadOf({ ...event, tags: { workload: 'cart' } }), 'cart');
  assert.equal(workloadOf({ ...event, metadata: { owner: 'shop' }, tags: { workload: 'cart' } }), 'shop');
  assert.equal(workloadOf({ ...event, metadata: { owner: { name: 7 } }, tags: { workload: '' } }), 'web');
});

test('workload: only the name of a pod is taken apart', () => {
  const of = (kind: unknown, resourceName: string): string =>
    workloadOf({ resourceName, message: 'm', metadata: { kind } });
  assert.equal(of('Pod', 'web-0'), 'web');
  assert.equal(of('', 'web-0'), 'web');
  assert.equal(of('Node', 'ip-10-0-0-1'), 'ip-10-0-0-1');
  assert.equal(of('ReplicaSet', 'web-7d4b9c6f5'), 'web');
  assert.equal(of('ReplicaSet', 'web'), 'web');
});

test('workload: a long name takes no long time', () => {
  const started = performance.now();
  for (const piece of ['-2', '2', '-22222', '-28401240', 'b-']) podOwner(piece.repeat(1_024 / piece.length));
  assert.ok(performance.now() - started < 100);
});
