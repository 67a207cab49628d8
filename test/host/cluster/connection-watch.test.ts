import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ConnectionReader } from '../../../host/cluster/connection.ts';
import { ConnectionWatch } from '../../../host/cluster/connection-watch.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { tempDir } from '../../support/temp-dir.ts';

const POD = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' };

/** As the kubelet writes it: a directory of its own behind a link that is swapped in one step. */
function project(directory: string, files: Readonly<Record<string, string>>): void {
  const version = `..${Object.values(files).join('-')}`;
  mkdirSync(join(directory, version));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, version, name), `${text}\n`);
  symlinkSync(version, join(directory, '..next'));
  renameSync(join(directory, '..next'), join(directory, '..data'));
  for (const name of Object.keys(files)) {
    rmSync(join(directory, name), { force: true });
    symlinkSync(join('..data', name), join(directory, name));
  }
}

async function watch(t: TestContext, reader: ConnectionReader) {
  const clock = new FakeClock();
  const cluster = await ConnectionWatch.open({ reader, clock });
  const said: unknown[] = [];
  cluster.events.on('connection:changed', ({ changed }) => said.push(changed));
  cluster.events.on('connection:unreadable', ({ reason }) => said.push(reason));
  t.after(() => {
    cluster[Symbol.dispose]();
    assert.equal(clock.pending, 0);
  });
  return { cluster, clock, said };
}

describe('connection watch', () => {
  it('takes up the token and the authority that a kubelet renews', async (t) => {
    const directory = tempDir(t);
    project(directory, { token: 't1', 'ca.crt': 'c1', namespace: 'kagent' });
    const { cluster, clock, said } = await watch(t, new ConnectionReader(POD, directory));
    assert.deepEqual(cluster.connection, {
      server: 'https://[fd00::1]:6443',
      ca: 'c1',
      token: 't1',
      clientCertificate: null,
      skipTlsVerify: false,
      namespace: 'kagent',
    });
    project(directory, { token: 't2', 'ca.crt': 'c2', namespace: 'kagent' });
    await clock.advance(10_000);
    await eventually(() => cluster.connection?.token === 't2');
    assert.equal(cluster.connection?.ca, 'c2');
    await clock.advance(10_000);
    await eventually(() => said.length === 1);
    assert.deepEqual(said, [['ca', 'token']]);
  });

  it('keeps what it has while nothing can be read, says so once, and goes on', async (t) => {
    const directory = tempDir(t);
    project(directory, { token: 't1', 'ca.crt': 'c1', namespace: 'kagent' });
    const { cluster, clock, said } = await watch(t, new ConnectionReader(POD, directory));
    rmSync(join(directory, '..data'));
    for (let round = 0; round < 3; round += 1) {
      await clock.advance(10_000);
      await cluster.renew();
    }
    assert.equal(cluster.connection?.token, 't1');
    assert.equal(cluster.problem, null);
    assert.equal(said.length, 1);
    assert.match(String(said[0]), /service account cannot be read: ENOENT/);
    project(directory, { token: 't2', 'ca.crt': 'c1', namespace: 'kagent' });
    await clock.advance(60_000);
    await eventually(() => said.length === 2);
    assert.deepEqual(said[1], ['token']);
  });

  it('looks ever less often while there is nothing, up to once a minute', async (t) => {
    const reader = new ConnectionReader({ HOME: tempDir(t) });
    let readings = 0;
    const read = reader.read.bind(reader);
    reader.read = (how) => {
      readings += 1;
      return read(how);
    };
    const { clock } = await watch(t, reader);
    for (let turn = 0; turn < 60; turn += 1) {
      await clock.advance(10_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(readings, 13, 'at the start, and in ten minutes after 10, 30, 60, 100, 150, 210, … s');
  });

  it('finds a connection that was not there at the start', async (t) => {
    const home = tempDir(t);
    const { cluster, clock, said } = await watch(t, new ConnectionReader({ HOME: home }));
    assert.equal(cluster.connection, null);
    assert.match(cluster.problem ?? '', /does not exist/);
    mkdirSync(join(home, '.kube'));
    writeFileSync(join(home, '.kube/config'), kubeconfig({ token: 'x' }));
    await clock.advance(10_000);
    await eventually(() => said.length === 1);
    assert.deepEqual([said, cluster.problem], [[['server']], null]);
  });

  it('reads a file of a token at each reading, and asks a log-in command again only when it is told to', async (t) => {
    const directory = tempDir(t);
    const file = join(directory, 'config');
    writeFileSync(join(directory, 'token'), 't1\n');
    writeFileSync(file, kubeconfig({ tokenFile: 'token' }));
    const { cluster, clock } = await watch(t, new ConnectionReader({ KUBECONFIG: file }));
    assert.equal(cluster.connection?.token, 't1');
    writeFileSync(join(directory, 'token'), 't2\n');
    await clock.advance(10_000);
    await eventually(() => cluster.connection?.token === 't2');

    const counter = join(directory, 'asked');
    const says = `echo x >> ${counter}; printf '{"status":{"token":"of-%s"}}' $(wc -l < ${counter})`;
    writeFileSync(file, kubeconfig({ exec: { command: 'sh', args: ['-c', says] } }));
    await clock.advance(10_000);
    await eventually(() => cluster.connection?.token === 'of-1');
    await clock.advance(10_000);
    assert.equal((await cluster.renew())?.token, 'of-2');
    // Whoever asks again at once gets what was said a moment ago.
    const answers = await Promise.all([cluster.renew(), cluster.renew()]);
    assert.deepEqual(
      answers.map((connection) => connection?.token),
      ['of-2', 'of-2'],
    );
  });

  it('takes of several files what the first of them says, as kubectl does', async (t) => {
    const directory = tempDir(t);
    const [first, second] = [join(directory, 'first'), join(directory, 'second')];
    writeFileSync(first, kubeconfig({ token: 'of-first' }).replace('current-context: here', ''));
    writeFileSync(second, kubeconfig({ token: 'of-second' }));
    const { cluster } = await watch(t, new ConnectionReader({ KUBECONFIG: `${first}:${second}` }));
    assert.equal(cluster.connection?.token, 'of-first');
  });
});

function kubeconfig(user: Readonly<Record<string, unknown>>): string {
  return `apiVersion: v1
kind: Config
current-context: here
contexts: [{ name: here, context: { cluster: c, user: u } }]
clusters: [{ name: c, cluster: { server: "https://127.0.0.1:6443" } }]
users: [{ name: u, user: ${JSON.stringify(user)} }]
`;
}
