import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { findConnection } from '../../../host/cluster/connection.ts';
import { tempDir } from '../../support/temp-dir.ts';

const KUBECONFIG = `
apiVersion: v1
kind: Config
current-context: here
contexts: [{ name: here, context: { cluster: c, user: u, namespace: team } }]
clusters: [{ name: c, cluster: { server: "https://127.0.0.1:6443/", insecure-skip-tls-verify: true } }]
users: [{ name: u, user: { token: secret-token } }]
`;

it('connection: is none outside a pod without a kubeconfig, and says where it looked', async (t) => {
  const home = tempDir(t);
  const search = await findConnection({ HOME: home });
  assert.equal(search.kind, 'none');
  assert.match(search.kind === 'none' ? search.reason : '', new RegExp(`${home}/.kube/config does not exist`));
});

it('connection: comes from the current context of a kubeconfig', async (t) => {
  const file = join(tempDir(t), 'config');
  writeFileSync(file, KUBECONFIG);
  const search = await findConnection({ KUBECONFIG: file });
  assert.deepEqual(search, {
    kind: 'found',
    origin: file,
    connection: {
      server: 'https://127.0.0.1:6443',
      ca: null,
      token: 'secret-token',
      clientCertificate: null,
      skipTlsVerify: true,
      namespace: 'team',
    },
  });
});

it('connection: names what is wrong with a kubeconfig that cannot be used', async (t) => {
  const file = join(tempDir(t), 'config');
  const reason = async (from: string, to: string): Promise<string> => {
    writeFileSync(file, KUBECONFIG.replace(from, to));
    const search = await findConnection({ KUBECONFIG: file });
    return search.kind === 'none' ? search.reason : '';
  };
  assert.match(await reason('current-context: here', ''), /no current context; kubectl config use-context/);
  assert.match(
    await reason('current-context: here', 'current-context: elsewhere'),
    /no context 'elsewhere', which its current-context names; it has here: /,
  );
  assert.match(await reason('cluster: c,', 'cluster: d,'), /no cluster 'd', which its context 'here' names/);
  assert.match(await reason('user: u,', 'user: v,'), /no user 'v', which its current context names/);
});

it('connection: tells a pod without a service account apart from a laptop', async () => {
  const search = await findConnection({ KUBERNETES_SERVICE_HOST: '127.0.0.1' });
  assert.match(search.kind === 'none' ? search.reason : '', /automountServiceAccountToken/);
});
