import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AppHost } from '../support/app-host.ts';
import { ApiStatusError } from '../support/cluster/api-client.ts';
import { HookPlane, hook, restart } from '../support/cluster/hook-plane.ts';
import { ServiceAccount } from '../support/cluster/service-account.ts';
import { missingTools } from '../support/cluster/tools.ts';
import { eventually } from '../support/eventually.ts';
import { tempDir } from '../support/temp-dir.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

async function refusal(asked: Promise<unknown>): Promise<ApiStatusError | null> {
  return asked.then(
    () => null,
    (error: unknown) => (error instanceof ApiStatusError ? error : null),
  );
}

const READ: Rule = { apiGroups: ['kagent.dev'], resources: ['hooks'], verbs: ['get', 'list', 'watch'] };

describe('access to Hooks', { skip: missingTools() }, () => {
  let cluster: HookPlane;
  before(async () => {
    cluster = await HookPlane.start();
  });
  after(() => cluster?.stop());

  /** An account with these rules in all namespaces, or as Roles in some. */
  async function account(name: string, rules: readonly Rule[], namespaces: readonly string[] = []) {
    const made = await ServiceAccount.of(cluster.plane, { namespace: 'kagent', name });
    const subjects = [{ kind: 'ServiceAccount', namespace: 'kagent', name }];
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const grant = async (granted: readonly Rule[]): Promise<void> => {
      const scopes = namespaces.length === 0 ? [null] : namespaces;
      for (const namespace of scopes) {
        const [role, binding] = namespace === null ? ['ClusterRole', 'ClusterRoleBinding'] : ['Role', 'RoleBinding'];
        const metadata = { name, ...(namespace !== null && { namespace }) };
        const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: role, name };
        await cluster.apply(
          { apiVersion, kind: role, metadata, rules: granted },
          { apiVersion, kind: binding, metadata, roleRef, subjects },
        );
      }
    };
    await grant(rules);
    return { KUBECONFIG: await made.kubeconfig(), grant };
  }

  it('is named verb by verb with the rule that is missing, and taken up when it is there', async (t) => {
    await cluster.apply(hook('shop', 'guarded'));
    const { KUBECONFIG, grant } = await account('poor', []);
    const host = await AppHost.start(t, { env: { KUBECONFIG }, flags: ['--hooks', 'cluster'] });
    const refused = (what: string): Promise<string> =>
      eventually(() => host.grep(new RegExp(`Not allowed to ${what}: add the rule`))[0]);
    const list = JSON.parse(await refused('list kagent.dev/hooks')) as { rule: string };
    assert.equal(list.rule, '- apiGroups: ["kagent.dev"]\n  resources: ["hooks"]\n  verbs: ["get", "list", "watch"]');
    const ready = await (await fetch(`http://127.0.0.1:${host.app.ports.health}/readyz`)).text();
    assert.match(ready, /\[-\]hooks failed: .*cannot list resource "hooks"/);
    await assert.rejects(
      host.emit(restart('shop', 'x')).then((answer) => assert.ok(answer.id)),
      'no event is taken',
    );
    assert.equal(await host.metric('khook_cluster_refused{verb="list",resource="hooks"}'), 1);

    await grant([READ]);
    await eventually(() => host.grep(/Allowed to list hooks now/).length === 1);
    await eventually(async () => (await host.emit(restart('shop', 'y'))).outcome !== 'unmatched');
    assert.match(await refused('patch kagent.dev/hooks/status'), /resources: \[\\"hooks\/status\\"\]/);
    const notify = setInterval(() => void host.emit(restart('shop', `z-${Math.random()}`)).catch(() => undefined), 500);
    t.after(() => clearInterval(notify));
    assert.match(await refused('create events'), /"group":""/);
    const status: Rule = { apiGroups: ['kagent.dev'], resources: ['hooks/status'], verbs: ['patch'] };
    const events: Rule = { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] };
    await grant([READ, status, events]);
    await eventually(async () => (await cluster.status('shop', 'guarded')).activeEvents !== undefined, 60_000);
    clearInterval(notify);
    assert.equal(host.grep(/Not allowed to list/).length, 1, 'each is said once');
  });

  it('to some namespaces is enough when only those are watched', async (t) => {
    await cluster.plane.createNamespace('other');
    for (const namespace of ['shop', 'kagent', 'other']) await cluster.apply(hook(namespace, 'scoped'));
    const status: Rule = { apiGroups: ['kagent.dev'], resources: ['hooks/status'], verbs: ['patch'] };
    const events: Rule = { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] };
    const { KUBECONFIG } = await account('narrow', [READ, status, events], ['shop', 'kagent']);
    const env = { KUBECONFIG, WATCH_NAMESPACE: 'shop, kagent' };
    const host = await AppHost.start(t, { env, flags: ['--hooks', 'cluster'] });
    for (const namespace of ['shop', 'kagent']) {
      await eventually(async () => (await cluster.status(namespace, 'scoped')).conditions?.[0]?.status === 'True');
    }
    assert.equal((await host.emit(restart('other', 'x'))).outcome, 'unmatched');
    assert.notEqual((await host.emit(restart('shop', 'x'))).outcome, 'unmatched');
    assert.equal((await cluster.status('other', 'scoped')).conditions, undefined);
    assert.deepEqual(host.grep(/Not allowed/), []);
  });

  it('is what the chart gives: nothing is refused', async (t) => {
    await cluster.apply(hook('shop', 'charted'));
    const host = await cluster.host(t);
    await host.emit(restart('shop', 'w'));
    await eventually(async () => (await cluster.events('shop', 'charted')).length > 0);
    assert.deepEqual(host.grep(/Not allowed/), []);
    const refused = cluster.plane.requests(cluster.account.user).filter(({ code }) => code === 403);
    assert.deepEqual(refused, []);
  });

  it('goes on with a token that was renewed, after one that had expired', async (t) => {
    const { plane, account: khook } = cluster;
    const directory = tempDir(t);
    const tokenFile = join(directory, 'token');
    const short = khook.shortToken(5);
    writeFileSync(tokenFile, short);
    const ca = Buffer.from(plane.ca).toString('base64');
    const KUBECONFIG = join(directory, 'config');
    const config = {
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server: plane.server, 'certificate-authority-data': ca } }],
      users: [{ name: 'test', user: { tokenFile } }],
    };
    writeFileSync(KUBECONFIG, JSON.stringify(config));
    const host = await AppHost.start(t, { env: { KUBECONFIG }, flags: ['--hooks', 'cluster'] });
    await eventually(() => host.grep(/Hooks of the cluster are followed/).length === 1);
    const old = await khook.client(short);
    t.after(() => old.close());
    await eventually(async () => (await refusal(old.get('/version')))?.code === 401, 40_000);
    // Its watches end, and cannot be opened again.
    await plane.restart('kill');
    await eventually(
      () => plane.requests().some(({ code, userAgent }) => code === 401 && userAgent === 'khook'),
      40_000,
    );
    writeFileSync(tokenFile, await khook.token());
    await cluster.apply(hook('shop', 'renewed'));
    await eventually(async () => (await cluster.status('shop', 'renewed')).conditions?.[0]?.status === 'True', 40_000);
  });
});
