import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Emitter } from '../../../host/base/emitter.ts';
import type { ApiClient, ApiRequest } from '../../../host/cluster/api-client.ts';
import { ApiError } from '../../../host/cluster/api-error.ts';
import { LEADER_LABEL, LeaderLabel } from '../../../host/cluster/leader-label.ts';
import type { LeaseEvents } from '../../../host/cluster/lease-events.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';

const POD = { namespace: 'kagent', name: 'pod-a' };

interface Scene {
  readonly label: LeaderLabel;
  readonly clock: FakeClock;
  readonly said: string[];
  /** `pod=true`, `pod=null`: as they were asked for. */
  readonly patches: string[];
  readonly pods: Map<string, string>;
  /** Of a pod: every patch is refused with it. */
  readonly refused: Map<string, number>;
  /** Patches wait until it is resolved. */
  gate: Promise<void>;
  acquire(before?: string, from?: LeaseEvents['leadership:acquired']['from']): void;
  lose(): void;
}

function scene(): Scene {
  const clock = new FakeClock();
  const events = new Emitter<LeaseEvents>();
  const leadership = { isLeader: false, events };
  const pods = new Map([
    ['pod-a', ''],
    ['pod-b', 'true'],
  ]);
  const said: string[] = [];
  const patches: string[] = [];
  const refused = new Map<string, number>();
  const json = async (request: ApiRequest): Promise<unknown> => {
    const { verb, target, body, signal } = request;
    const { name = '', namespace, resource } = target;
    const value = (body as { metadata: { labels: Record<string, string | null> } }).metadata.labels[LEADER_LABEL];
    assert.deepEqual([verb, namespace, resource], ['patch', 'kagent', 'pods']);
    patches.push(`${name}=${value}`);
    await Promise.race([
      stage.gate,
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    ]);
    const status = refused.get(name) ?? (pods.has(name) ? null : 404);
    if (status !== null) {
      throw new ApiError({ verb, target, status, reason: '', message: `it answered ${status}`, retryAfterMs: null });
    }
    pods.set(name, value ?? '');
    return {};
  };
  const client = { json } as unknown as ApiClient;
  const label = new LeaderLabel({ client, pod: POD, leadership, clock, random: () => 0.5 });
  label.events.on('label:fault', ({ pod, message }) => said.push(`fault ${pod} ${message}`));
  label.events.on('label:recovered', () => said.push('recovered'));
  const stage: Scene = {
    ...{ label, clock, said, patches, pods, refused, gate: Promise.resolve() },
    acquire(before = '', from = 'nobody') {
      leadership.isLeader = true;
      events.emit('leadership:acquired', { identity: 'pod-a_1', from, before, term: 1 });
    },
    lose() {
      leadership.isLeader = false;
      events.emit('leadership:lost', { why: 'test' });
    },
  };
  return stage;
}

describe('leader label', () => {
  it('is taken off by a standby that starts: an earlier life may have left it', async () => {
    const { label, pods } = scene();
    pods.set('pod-a', 'true');
    label.start();
    await settle();
    assert.equal(pods.get('pod-a'), '');
  });

  it('is written when leadership is acquired, and taken off when it is lost', async () => {
    const { label, pods, acquire, lose } = scene();
    label.start();
    await settle();
    acquire();
    await settle();
    assert.equal(pods.get('pod-a'), 'true');
    lose();
    await settle();
    assert.equal(pods.get('pod-a'), '');
  });

  it('is taken off the pod of a leader that went silent, and not of one that released', async () => {
    const released = scene();
    released.label.start();
    released.acquire('', 'released');
    await settle();
    assert.equal(released.pods.get('pod-b'), 'true');
    const expired = scene();
    expired.label.start();
    expired.acquire('pod-b_0123456789abcdef', 'expired');
    await settle();
    assert.deepEqual(Object.fromEntries(expired.pods), { 'pod-a': 'true', 'pod-b': '' });
    const gone = scene();
    gone.pods.delete('pod-b');
    gone.label.start();
    gone.acquire('pod-b_0123456789abcdef', 'expired');
    await settle();
    assert.deepEqual(gone.said, []);
    // Its own earlier life.
    const again = scene();
    again.label.start();
    again.acquire('pod-a_ffffffffffffffff', 'expired');
    await settle();
    assert.equal(again.pods.get('pod-a'), 'true');
  });

  it('ends as it was wanted last, however late an earlier request is answered', async () => {
    const stage = scene();
    stage.label.start();
    await settle();
    const gate = Promise.withResolvers<void>();
    stage.gate = gate.promise;
    stage.acquire();
    await settle();
    stage.lose();
    gate.resolve();
    await settle();
    assert.deepEqual(stage.patches.slice(1), ['pod-a=true', 'pod-a=null']);
    assert.equal(stage.pods.get('pod-a'), '');
  });

  it('is tried again with a back-off until it can be written; the fault is told once', async () => {
    const { label, clock, pods, refused, said, patches, acquire } = scene();
    refused.set('pod-a', 403);
    label.start();
    acquire();
    await settle();
    await clock.advance(50_000);
    assert.deepEqual(said, ['fault pod-a patch pods: it answered 403']);
    assert.ok(patches.length > 4 && patches.length < 12, `${patches.length} requests`);
    refused.clear();
    await clock.advance(40_000);
    assert.equal(pods.get('pod-a'), 'true');
    assert.deepEqual(said.slice(1), ['recovered']);
  });

  it('is written on its own pod while that of the other cannot be', async () => {
    const { label, clock, pods, refused, acquire } = scene();
    refused.set('pod-b', 500);
    label.start();
    acquire('pod-b_0123456789abcdef', 'expired');
    await clock.advance(5_000);
    assert.equal(pods.get('pod-a'), 'true');
    refused.clear();
    await clock.advance(40_000);
    assert.equal(pods.get('pod-b'), '');
  });

  it('is back within a minute when a hand took it off', async () => {
    const { label, clock, pods, acquire } = scene();
    label.start();
    acquire();
    await settle();
    pods.set('pod-a', '');
    await clock.advance(60_000);
    assert.equal(pods.get('pod-a'), 'true');
  });

  it('is taken off when khook stops, which waits for it no longer than a few seconds', async () => {
    const stage = scene();
    stage.label.start();
    stage.acquire();
    await settle();
    await stage.label.remove();
    assert.equal(stage.pods.get('pod-a'), '');
    assert.equal(stage.clock.pending, 0);
    const silent = scene();
    silent.label.start();
    silent.acquire();
    await settle();
    silent.gate = new Promise(() => undefined);
    let isDone = false;
    const removing = silent.label.remove().then(() => {
      isDone = true;
    });
    await settle();
    assert.equal(isDone, false);
    await silent.clock.advance(3_000);
    assert.equal(isDone, true);
    await removing;
    assert.equal(silent.clock.pending, 0);
  });
});
