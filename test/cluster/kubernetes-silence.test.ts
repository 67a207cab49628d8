/** Networks that fall silent without closing anything, and ones that are gone. In a file of its own, for it takes its time. */

import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { AppHost } from '../support/app-host.ts';
import { ControlPlane } from '../support/cluster/control-plane.ts';
import { ServiceAccount } from '../support/cluster/service-account.ts';
import { StandInKubelet } from '../support/cluster/stand-in-kubelet.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { asked, everyTypeHook, kubernetesFiles, kubernetesPlugins } from '../support/kubernetes-host.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** Of each test: a silence is no silence for the first minute and a half. */
const timeout = 300_000;
const STALE = 'khook_plugin_source_stale{plugin="kubernetes"}';

describe('kubernetes plugin behind a silent network', {
  skip: missingTools(),
  concurrency: 2,
  timeout: 2 * timeout,
}, () => {
  let plane: ControlPlane;
  let account: ServiceAccount;

  before(async () => {
    plane = await ControlPlane.start();
    for (const name of ['kagent', 'half-open', 'gone']) await plane.createNamespace(name);
    account = await ServiceAccount.of(plane, { namespace: 'kagent', name: 'khook' });
    const resources = ['--resource=pods', '--resource=nodes', '--resource=events.events.k8s.io'];
    await plane.kubectl(['create', 'clusterrole', 'khook', '--verb=get,list,watch', ...resources]);
    await plane.kubectl(['create', 'clusterrolebinding', 'khook', '--clusterrole=khook', `--user=${account.user}`]);
  });
  after(() => plane?.stop());

  async function start(t: TestContext, namespace: string): Promise<{ host: AppHost; proxy: TcpProxy }> {
    const proxy = await TcpProxy.start(plane.port);
    t.after(() => proxy.stop());
    const kubeconfig = await account.kubeconfig({ server: `https://127.0.0.1:${proxy.port}` });
    const plugins = kubernetesPlugins({}, { healthCheckInterval: '1s' });
    const hooks = { 'h.yaml': everyTypeHook(namespace) };
    const host = await AppHost.start(t, kubernetesFiles({ kubeconfig, plugins, hooks }));
    await eventually(() => host.grep(/Kubernetes event watcher established/).length === 3, 30_000);
    return { host, proxy };
  }

  async function crash(namespace: string, name: string): Promise<void> {
    const about = { kind: 'Pod', name, namespace };
    await new StandInKubelet(plane.admin).writeCoreEvent({ about, reason: 'BackOff', message: 'Back-off restarting' });
  }

  it('gives up a connection that is half open, and tells what happened meanwhile', { timeout }, async (t) => {
    const { host, proxy } = await start(t, 'half-open');
    await crash('half-open', 'before');
    await eventually(() => asked(host).length === 1);
    proxy.abandon();
    await crash('half-open', 'meanwhile');
    await eventually(() => asked(host).length === 2, 80_000);
    assert.deepEqual(asked(host), ['pod-restart before', 'pod-restart meanwhile']);
    assert.equal(host.grep(/The source of plugin kubernetes is stale/).length, 0, 'noticed before it counts as stale');
  });

  it('says that its source is stale while the API server cannot be reached, and goes on when it can', {
    timeout,
  }, async (t) => {
    const { host, proxy } = await start(t, 'gone');
    const ready = async (): Promise<string> => {
      return (await fetch(`http://127.0.0.1:${host.app.ports.health}/readyz?verbose`)).text();
    };
    proxy.refuse();
    await crash('gone', 'meanwhile');
    await eventually(async () => (await host.metric(STALE)) === 1, 150_000);
    // One after the other: what was heard of last is the last to be stale.
    const stale =
      /^\[-\]plugin-kubernetes failed: its source is stale: nothing was heard of .*, and of 2 more for \d+ s: cannot reach the API server at https:/m;
    await eventually(async () => stale.test(await ready()), 30_000);
    proxy.heal();
    await eventually(async () => (await host.metric(STALE)) === 0, 30_000);
    await eventually(() => asked(host).length === 1, 30_000);
    assert.match(await ready(), /^\[\+\]plugin-kubernetes ok$/m);
    assert.equal((await host.plugin('kubernetes', 'running')).generation, 1, 'it was never restarted');
    const told = host.log.filter(({ level, plugin, msg = '' }) => {
      return plugin === 'kubernetes' && level !== 'info' && /watcher|stale/.test(msg);
    });
    assert.deepEqual(
      told.map(({ level, msg = '' }) => `${level}: ${/watcher \w+|stale/.exec(msg)?.[0]}`),
      [...Array.from({ length: 3 }, () => 'warn: watcher reconnecting'), 'warn: stale'],
      'the end of each watch, and that all of it is stale; not every attempt',
    );
  });
});
