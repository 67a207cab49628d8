/** A burst of crashes while everything around the plugin breaks: each pod is told to its agent once, and none is missed. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import { AppHost } from '../support/app-host.ts';
import { ControlPlane } from '../support/cluster/control-plane.ts';
import { ServiceAccount } from '../support/cluster/service-account.ts';
import { StandInKubelet } from '../support/cluster/stand-in-kubelet.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { asked, everyTypeHook, kubernetesFiles } from '../support/kubernetes-host.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

interface Ledger {
  readonly inFlight: number;
  readonly residual: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

describe('kubernetes plugin in chaos', { skip: missingTools() }, () => {
  let plane: ControlPlane;
  let kubelet: StandInKubelet;
  let account: ServiceAccount;
  let proxy: TcpProxy;

  before(async () => {
    plane = await ControlPlane.start();
    kubelet = new StandInKubelet(plane.admin);
    await kubelet.register();
    for (const name of ['kagent', 'cut', 'away', 'token']) await plane.createNamespace(name);
    account = await ServiceAccount.of(plane, { namespace: 'kagent', name: 'khook' });
    const resources = ['--resource=pods', '--resource=nodes', '--resource=events.events.k8s.io'];
    await plane.kubectl(['create', 'clusterrole', 'khook', '--verb=get,list,watch', ...resources]);
    await plane.kubectl(['create', 'clusterrolebinding', 'khook', '--clusterrole=khook', `--user=${account.user}`]);
    proxy = await TcpProxy.start(plane.port);
  });
  after(async () => {
    await proxy?.stop();
    await plane?.stop();
  });

  /** One pod after the other, as a kubelet tells it: its status and an Event. Writes are tried again while the API server is away. */
  async function crash(namespace: string, names: readonly string[]): Promise<void> {
    for (const name of names) {
      const finishedAt = new Date().toISOString();
      const status = {
        restartCount: 1,
        state: { running: { startedAt: finishedAt } },
        lastState: { terminated: { reason: 'Error', exitCode: 1, finishedAt } },
      };
      const about = { kind: 'Pod', name, namespace };
      const again = async (write: () => Promise<unknown>): Promise<void> => {
        await eventually(() => write().then(() => true), 30_000);
      };
      await again(() => kubelet.runPod({ namespace, name }).catch(ignoreExisting));
      await again(() => kubelet.setPodStatus({ namespace, name }, [status]));
      await again(() => kubelet.writeCoreEvent({ about, reason: 'BackOff', message: 'Back-off restarting' }));
    }
  }

  async function start(
    t: Pick<TestContext, 'after'>,
    { namespace, token }: { namespace: string; token: string },
  ): Promise<{ host: AppHost; file: string }> {
    const file = await account.kubeconfig({ server: `https://127.0.0.1:${proxy.port}`, token });
    const host = await AppHost.start(
      t,
      kubernetesFiles({ kubeconfig: file, hooks: { 'h.yaml': everyTypeHook(namespace) } }),
    );
    await eventually(() => host.grep(/Kubernetes event watcher established/).length >= 3);
    return { host, file };
  }

  async function toldOnce(host: AppHost, names: readonly string[]): Promise<void> {
    const expected = names.map((name) => `pod-restart ${name}`).sort();
    await eventually(() => asked(host).length >= expected.length, 40_000);
    const ledger = await eventually(async () => {
      const seen = await host.json<Ledger>('/api/v1/ledger');
      return seen.inFlight === 0 ? seen : null;
    });
    assert.deepEqual(asked(host), expected);
    assert.equal(ledger.residual, 0);
    assert.equal((await host.plugin('kubernetes', 'running')).generation, 1);
  }

  it('while watches are cut, reset and closed every second', async (t) => {
    const { host } = await start(t, { namespace: 'cut', token: await account.token() });
    const names = Array.from({ length: 200 }, (_, n) => `cut-${n}`);
    let abruptly = false;
    const cutting = setInterval(() => {
      abruptly = !abruptly;
      proxy.cut(abruptly);
    }, 1_000);
    t.after(() => clearInterval(cutting));
    await crash('cut', names);
    await toldOnce(host, names);
  });

  it('while the API server is killed and comes back, and versions are compacted away', async (t) => {
    const { host } = await start(t, { namespace: 'away', token: await account.token() });
    const names = Array.from({ length: 60 }, (_, n) => `away-${n}`);
    const crashing = crash('away', names);
    await eventually(() => asked(host).length >= 10);
    proxy.refuse();
    // Versions go while nobody watches: two writes, then they are of no more use.
    await eventually(() => proxy.open === 0);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await plane.etcd.compact();
    await plane.restart('kill');
    proxy.heal();
    await crashing;
    await toldOnce(host, names);
    const gone = 'khook_plugin_custom_kubernetes_watch_ends_total{plugin="kubernetes",how="gone",resource="events"}';
    assert.ok((await host.metric(gone)) >= 1, 'a version was gone');
    assert.equal(host.log.filter(({ level, plugin }) => level === 'error' && plugin === 'kubernetes').length, 0);
  });

  it('while its token expires and another one is written', async (t) => {
    const { host, file } = await start(t, { namespace: 'token', token: account.shortToken(3) });
    const names = Array.from({ length: 60 }, (_, n) => `token-${n}`);
    await crash('token', names.slice(0, 30));
    // A watch that stands outlives its token, and the API server remembers for ten seconds that one was good.
    const cutting = setInterval(() => proxy.cut(), 1_000);
    t.after(() => clearInterval(cutting));
    await eventually(() => host.grep(/does not accept the credentials/).length > 0, 30_000);
    const text = readFileSync(file, 'utf8');
    const old = /"?token"?: "?([\w.-]+)"?/.exec(text)?.[1] ?? assert.fail();
    writeFileSync(file, text.replace(old, await account.token()));
    await crash('token', names.slice(30));
    await toldOnce(host, names);
    assert.equal(host.grep(/Connection to .* renewed: token/).length, 1);
  });
});

function ignoreExisting(error: unknown): void {
  if ((error as { reason?: string }).reason !== 'AlreadyExists') throw error;
}
