import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Election } from '../../host/cluster/election.ts';
import { LEADER_LABEL } from '../../host/cluster/leader-label.ts';
import { leaseIdentity } from '../../host/cluster/lease-identity.ts';
import type { LeaseTiming } from '../../host/cluster/lease-policy.ts';
import { systemClock } from '../../ipc/clock.ts';
import { ControlPlane } from '../support/cluster/control-plane.ts';
import { allowElection, clientOf } from '../support/cluster/lease-candidate.ts';
import { ServiceAccount } from '../support/cluster/service-account.ts';
import { StandInKubelet } from '../support/cluster/stand-in-kubelet.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const QUICK: LeaseTiming = { durationMs: 4_000, renewDeadlineMs: 2_500, retryMs: 400, attemptMs: 800 };
const WAIT_MS = 30_000;
const NAMESPACE = 'kagent';

interface Pod {
  readonly election: Election;
  readonly proxy: TcpProxy;
  readonly said: string[];
}

describe('election on a real API server', { skip: missingTools() }, () => {
  let plane: ControlPlane;
  let kubelet: StandInKubelet;
  before(async () => {
    plane = await ControlPlane.start();
    kubelet = new StandInKubelet(plane.admin);
    await kubelet.register();
    await plane.createNamespace(NAMESPACE);
    await allowElection(plane, NAMESPACE);
  });
  after(() => plane?.stop());

  async function start(t: TestContext, pod: string): Promise<Pod> {
    const account = await ServiceAccount.of(plane, { namespace: NAMESPACE, name: 'khook' });
    const proxy = await TcpProxy.start(plane.port);
    const connection = { server: `https://127.0.0.1:${proxy.port}`, ca: plane.ca, token: await account.token() };
    const client = clientOf({ ...connection, namespace: NAMESPACE });
    const identity = leaseIdentity({ pod, directory: null });
    const own = { namespace: NAMESPACE, pod, identity, clock: systemClock, random: Math.random, timing: QUICK };
    const election = new Election({ client, ...own });
    const said: string[] = [];
    election.events.on('lease:fault', ({ message }) => said.push(message));
    election.labelEvents?.on('label:fault', ({ message }) => said.push(message));
    election.start();
    t.after(async () => {
      proxy.heal();
      await election.release();
      client[Symbol.dispose]();
      await proxy.stop();
    });
    return { election, proxy, said };
  }

  /** Names of the pods that the webhook Service would select. */
  async function labelled(): Promise<string> {
    const names = ['-o', 'jsonpath={.items[*].metadata.name}'];
    return (await plane.kubectl(['-n', NAMESPACE, 'get', 'pods', '-l', `${LEADER_LABEL}=true`, ...names])).stdout;
  }

  it('labels the pod that leads, with no rights but the chart’s, and takes the label off one that is cut off', async (t) => {
    for (const name of ['pod-a', 'pod-b']) await kubelet.runPod({ namespace: NAMESPACE, name });
    // Left by an earlier life.
    await plane.kubectl(['-n', NAMESPACE, 'label', 'pod', 'pod-b', `${LEADER_LABEL}=true`]);
    const first = await start(t, 'pod-a');
    await eventually(() => first.election.isLeader, WAIT_MS);
    const second = await start(t, 'pod-b');
    await eventually(async () => (await labelled()) === 'pod-a', WAIT_MS);
    await eventually(() => /^pod-a_/.test(second.election.holder), WAIT_MS);
    first.proxy.partition();
    await eventually(() => second.election.isLeader, WAIT_MS);
    await eventually(async () => (await labelled()) === 'pod-b', WAIT_MS);
    assert.deepEqual(second.said, []);
    await second.election.release();
    assert.equal(await labelled(), '');
  });

  it('says that it cannot label its pod, and leads all the same', async (t) => {
    const stranger = await start(t, 'no-such-pod');
    await eventually(() => stranger.election.isLeader && stranger.said.length > 0, WAIT_MS);
    assert.deepEqual(stranger.said, ['patch pods: pods "no-such-pod" not found']);
  });
});
