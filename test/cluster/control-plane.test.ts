import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ApiClient, type ApiObject, ApiStatusError, type WatchEvent } from '../support/cluster/api-client.ts';
import { ControlPlane } from '../support/cluster/control-plane.ts';
import { ServiceAccount } from '../support/cluster/service-account.ts';
import { StandInKubelet } from '../support/cluster/stand-in-kubelet.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const EVENTS = '/api/v1/namespaces/default/events';
const SILENCE_MS = 300;

/** What a watch says, as it comes. */
function follow(watch: AsyncGenerator<WatchEvent>): { readonly seen: string[]; readonly ended: Promise<unknown> } {
  const seen: string[] = [];
  const read = async (): Promise<void> => {
    for await (const { type, object } of watch) seen.push(`${type} ${String(object.reason ?? object.kind)}`);
  };
  return { seen, ended: read().catch((error: unknown) => error) };
}

async function version(api: ApiClient, path: string): Promise<string> {
  return (await api.get<{ metadata: { resourceVersion: string } }>(path)).metadata.resourceVersion;
}

async function hasCode(promise: Promise<unknown>, code: number): Promise<ApiStatusError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ApiStatusError, `refused, not ${String(error)}`);
  assert.equal(error.code, code, error.message);
  return error;
}

/** The aggregated roles (view, edit) are empty here: a controller fills them. */
async function mayReadEvents(plane: ControlPlane, { namespace, name, user }: ServiceAccount): Promise<void> {
  const events = ['--resource=events', '--resource=events.events.k8s.io'];
  const role = ['-n', namespace, 'create', 'role', name, '--verb=get,list,watch', ...events];
  const bind = ['-n', namespace, 'create', 'rolebinding', name, `--role=${name}`, `--user=${user}`];
  for (const command of [role, bind]) {
    const { code, stderr } = await plane.kubectl(command);
    assert.equal(code, 0, stderr);
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

describe('control plane', { skip: missingTools() }, () => {
  let plane: ControlPlane;
  let kubelet: StandInKubelet;

  before(async () => {
    plane = await ControlPlane.start({ flags: ['--min-request-timeout=60'] });
    kubelet = new StandInKubelet(plane.admin);
    await kubelet.register();
    await plane.createNamespace('kagent');
  });
  after(() => plane?.stop());

  it('refuses a service account that nothing is bound to, and says who may not do what', async () => {
    const account = await ServiceAccount.of(plane, { namespace: 'kagent', name: 'unbound' });
    const client = await account.client();
    const refusal = await hasCode(client.get('/apis/events.k8s.io/v1/events'), 403);
    assert.equal(
      refusal.message,
      'events.events.k8s.io is forbidden: User "system:serviceaccount:kagent:unbound" cannot list resource "events" in API group "events.k8s.io" at the cluster scope',
    );
    client.close();
  });

  it('answers kubectl auth can-i with no before a role is bound and with yes after', async () => {
    const { user } = await ServiceAccount.of(plane, { namespace: 'kagent', name: 'khook' });
    const canI = ['auth', 'can-i', 'list', 'events', `--as=${user}`];
    const before = await plane.kubectl(canI);
    assert.deepEqual([before.code, before.stdout], [1, 'no\n']);
    const role = ['create', 'clusterrole', 'event-reader', '--verb=get,list,watch', '--resource=events'];
    assert.equal((await plane.kubectl(role)).code, 0);
    const bind = ['create', 'clusterrolebinding', 'khook', '--clusterrole=event-reader', `--user=${user}`];
    assert.equal((await plane.kubectl(bind)).code, 0);
    const bound = await eventually(async () => {
      const answer = await plane.kubectl(canI);
      return answer.code === 0 ? answer : null;
    });
    assert.equal(bound.stdout, 'yes\n');
  });

  it('tells a watch of Events of both APIs, with the repeats', async (t) => {
    const account = await ServiceAccount.of(plane, { namespace: 'default', name: 'watcher' });
    await mayReadEvents(plane, account);
    const client = await account.client();
    t.after(() => client.close());
    const from = await eventually(() => version(client, EVENTS));
    const { seen } = follow(client.watch(`${EVENTS}?resourceVersion=${from}`));
    const about = { kind: 'Pod', name: 'web-0' };
    const event = await kubelet.writeCoreEvent({ about, reason: 'BackOff', message: 'restarting failed container' });
    await kubelet.repeatCoreEvent(event, 2);
    const newer = await kubelet.writeEvent({ about, reason: 'FailedScheduling', message: '0/3 nodes are available' });
    const repeated = await kubelet.repeatEvent(newer, 5);
    await eventually(() => seen.length === 4);
    const reasons = ['ADDED BackOff', 'MODIFIED BackOff', 'ADDED FailedScheduling', 'MODIFIED FailedScheduling'];
    assert.deepEqual(seen, reasons);
    assert.equal((repeated.series as { count: number }).count, 5);
    const watches = plane.requests(account.user).filter(({ verb }) => verb === 'watch');
    assert.equal(watches.length, 1);
    assert.ok(watches[0]?.uri.startsWith(EVENTS));
  });

  it('keeps what a kubelet writes of pods and nodes', async () => {
    const pod = { namespace: 'default', name: 'leaky' };
    await kubelet.runPod(pod);
    const state = { waiting: { reason: 'CrashLoopBackOff' } };
    const lastState = { terminated: { reason: 'OOMKilled', exitCode: 137, finishedAt: '2026-01-01T00:00:00Z' } };
    await kubelet.setPodStatus(pod, [{ restartCount: 3, state, lastState }]);
    const shown = await plane.kubectl(['get', 'pod', 'leaky', '--no-headers']);
    assert.match(shown.stdout, /^leaky\s+0\/1\s+CrashLoopBackOff\s+3/);
    const message = 'container runtime is down';
    await kubelet.setCondition({ type: 'Ready', status: 'False', reason: 'KubeletNotReady', message });
    assert.match((await plane.kubectl(['get', 'nodes'])).stdout, /node-1\s+NotReady/);
    await kubelet.deletePod(pod);
    await hasCode(plane.admin.get('/api/v1/namespaces/default/pods/leaky'), 404);
  });

  it('goes silent through a half-open connection, and is heard again through a new one', async (t) => {
    const proxy = await TcpProxy.start(plane.port);
    t.after(() => proxy.stop());
    const server = `https://127.0.0.1:${proxy.port}`;
    const account = await ServiceAccount.of(plane, { namespace: 'default', name: 'half-open' });
    await mayReadEvents(plane, account);
    const kubeconfig = await account.kubeconfig({ server });
    assert.match((await plane.kubectl(['get', 'events'], { kubeconfig })).stdout, /BackOff/);
    const credentials = { kind: 'token', token: await account.token() } as const;
    const client = new ApiClient({ server, ca: plane.ca, credentials });
    t.after(() => client.close());
    const { seen, ended } = follow(client.watch(`${EVENTS}?resourceVersion=${await version(plane.admin, EVENTS)}`));
    const write = (reason: string): Promise<ApiObject> =>
      kubelet.writeCoreEvent({ about: { kind: 'Pod', name: 'p' }, reason, message: 'm' });
    // The watch may begin after the first.
    await write('Heard');
    await eventually(() => seen.includes('ADDED Heard'));
    proxy.abandon();
    await write('Unheard');
    const isEnd = await Promise.race([
      ended.then(() => true),
      new Promise((done) => setTimeout(() => done(false), SILENCE_MS)),
    ]);
    assert.equal(isEnd, false, 'nothing says that the connection is dead');
    assert.deepEqual(seen, ['ADDED Heard']);
    proxy.cut();
    await ended;
    assert.ok((await client.text(EVENTS)).includes('Unheard'));
  });

  it('stays usable across a restart and a kill of the API server, with all that was stored', async () => {
    const { ended } = follow(plane.admin.watch(EVENTS));
    await plane.admin.create('/api/v1/namespaces/default/configmaps', { metadata: { name: 'kept' } });
    for (const how of ['stop', 'kill'] as const) {
      const { pid } = plane.apiServer;
      await plane.restart(how);
      assert.notEqual(plane.apiServer.pid, pid);
      const kept = await plane.admin.get('/api/v1/namespaces/default/configmaps/kept');
      assert.equal(kept.metadata.name, 'kept');
    }
    await ended;
  });

  it('forgets old versions when etcd is compacted', async () => {
    const old = await version(plane.admin, EVENTS);
    for (const reason of ['Lost', 'Last'])
      await kubelet.writeCoreEvent({ about: { kind: 'Pod', name: 'p' }, reason, message: 'm' });
    await plane.etcd.compact();
    const { seen } = follow(plane.admin.watch(`${EVENTS}?resourceVersion=${old}`));
    await eventually(() => seen.length > 0);
    assert.deepEqual(seen, ['ERROR Expired']);
  });

  it('takes a token until it is refused as expired', async () => {
    const account = await ServiceAccount.of(plane, { namespace: 'kagent', name: 'expiring' });
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const review = { spec: { resourceAttributes: { verb: 'list', resource: 'events' } } };
    const good = await account.client(account.shortToken(60));
    assert.ok(await good.create(path, review));
    good.close();
    const expired = await account.client(account.shortToken(-1));
    await hasCode(expired.create(path, review), 401);
    expired.close();
  });

  it('runs helm', async () => {
    const listed = await plane.helm(['list', '--all-namespaces', '--output', 'json']);
    assert.deepEqual([listed.code, JSON.parse(listed.stdout)], [0, []]);
  });
});

describe('control plane of a killed process', { skip: missingTools() }, () => {
  it('leaves neither servers nor files', async (t) => {
    const script = resolve(import.meta.dirname, '../../scripts/cluster-start.ts');
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await eventually(() => /Ctrl-C/.test(output), 60_000);
    const directory = /KUBECONFIG=(\S+)\/admin/.exec(output)?.[1] ?? '';
    const ports = [...output.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
    assert.ok(existsSync(directory));
    assert.deepEqual(await Promise.all(ports.map(canConnect)), [true, true]);
    child.kill('SIGKILL');
    await eventually(() => !existsSync(directory));
    for (const port of ports) await eventually(async () => !(await canConnect(port)));
  });
});
