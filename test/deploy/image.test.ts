/**
 * The image without a builder: what the Dockerfile copies and installs, started as the chart starts it, under the image's user, on a read-only
 * root and in namespaces of its own. The base image is not part of it.
 */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Container, missingNamespaces } from '../support/container.ts';
import { readDockerfile } from '../support/dockerfile.ts';
import { eventually } from '../support/eventually.ts';
import { type Manifest, missingHelm, render } from '../support/helm.ts';
import { childrenOf, familyOf } from '../support/process-stats.ts';
import { tempDir } from '../support/temp-dir.ts';

const image = readDockerfile();
const TINI = '/usr/bin/tini';
/** Everything of the sandbox that is a process of its own: grandchildren of process 1. */
const PLUGINS = readFileSync(resolve('config/plugins.yaml'), 'utf8').replace(
  '- name: webhook',
  '- name: webhook\n    isolation: process',
);

interface Started {
  readonly container: Container;
  readonly data: string;
  readonly health: number;
  readonly webhook: number;
}

/** What `npm ci` of the Dockerfile leaves, and what it copies. */
function buildTree(tree: string): void {
  for (const [from, to] of image.copies) {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    cpSync(resolve(from), join(tree, to), { recursive: true });
  }
  const [npm = '', ...args] = image.install;
  execFileSync(npm, [...args, '--prefer-offline'], { cwd: tree, stdio: 'pipe' });
}

/** Ports that are free now; port 0 means nothing to a Service. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** The ConfigMaps as the kubelet lays them out: links to links. */
function configFolder(t: Pick<TestContext, 'after'>, objects: readonly Manifest[]): string {
  const folder = tempDir(t);
  mkdirSync(join(folder, '..2026'));
  for (const { kind, data } of objects) {
    if (kind !== 'ConfigMap') continue;
    for (const [name, text] of Object.entries(data as Record<string, string>))
      writeFileSync(join(folder, '..2026', name), text);
  }
  execFileSync('ln', ['-s', '..2026', join(folder, '..data')]);
  for (const name of readdirSync(join(folder, '..2026')))
    execFileSync('ln', ['-s', `..data/${name}`, join(folder, name)]);
  chmodSync(folder, 0o755);
  return folder;
}

async function start(t: Pick<TestContext, 'after'>, tree: string): Promise<Started> {
  const [metrics = 0, health = 0, webhook = 0] = await freePorts(3);
  const objects = await render({
    // There is no cluster to elect in, and no kagent.
    leaderElection: { enabled: false },
    kagent: { apiUrl: 'http://127.0.0.1:9' },
    pluginConfig: { content: PLUGINS },
    metrics: { port: metrics },
    health: { port: health },
    webhook: { port: webhook },
  });
  const deployment = objects.find(({ kind }) => kind === 'Deployment') as unknown as {
    spec: { template: { spec: { containers: { args: string[]; env: { name: string; value?: string }[] }[] } } };
  };
  const [{ args, env } = { args: [], env: [] }] = deployment.spec.template.spec.containers;
  const data = tempDir(t);
  chownSync(data, image.user, image.user);
  const node = tempDir(t);
  copyFileSync(process.execPath, join(node, 'node'));
  for (const folder of [tree, node]) chmodSync(folder, 0o755);
  const entrypoint = existsSync(TINI) ? image.entrypoint : image.entrypoint.slice(image.entrypoint.indexOf('--') + 1);
  const container = await Container.start(t, {
    readable: { [tree]: '/opt/khook', [node]: '/opt/node', [configFolder(t, objects)]: '/etc/khook' },
    writable: { [data]: '/var/lib/khook' },
    command: [...entrypoint, ...args, '--admin-port=0'],
    env: {
      ...image.env,
      ...Object.fromEntries(env.map(({ name, value }) => [name, value ?? `test-${name.toLowerCase()}`])),
      PATH: ['/opt/node', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(delimiter),
    },
    user: image.user,
    cwd: image.workdir,
  });
  return { container, data, health, webhook };
}

async function isReady(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
}

function statusOf(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/:\s*/, 2) as [string, string]));
}

describe('image', { skip: missingNamespaces() || missingHelm() }, () => {
  const tree = tempDir({ after: (remove) => after(remove as () => void) });
  before(() => buildTree(tree));

  it('holds no Node of its own, no development tools and no tests', () => {
    const modules = readdirSync(join(tree, 'node_modules'));
    assert.ok(modules.includes('zod'));
    const unwanted = modules.filter((name) => /^node-|^typescript$|^@biomejs$|^fast-check$/.test(name));
    assert.deepEqual(unwanted, []);
    assert.deepEqual(
      readdirSync(tree).filter((name) => name === 'test' || name === 'bench'),
      [],
    );
  });

  it('starts as a user without rights, answers, survives the death of its host and stops when it is told to', async (t) => {
    const { container, data, health, webhook } = await start(t, tree);
    await eventually(async () => {
      assert.ok(container.isRunning, container.lines.join('\n'));
      assert.ok(await isReady(health), container.lines.join('\n'));
      return true;
    }, 30_000);

    for (const pid of familyOf(container.pid)) {
      const { Uid, CapEff, CapBnd, NoNewPrivs } = statusOf(pid);
      assert.equal(Uid?.split('\t')[0], String(image.user));
      assert.deepEqual([CapEff, CapBnd, NoNewPrivs], ['0000000000000000', '0000000000000000', '1']);
    }
    const answer = await fetch(`http://127.0.0.1:${webhook}/webhook`, { method: 'POST', body: '{"test":"data"}' });
    assert.deepEqual([answer.status, ((await answer.json()) as { status: string }).status], [200, 'received']);

    const check = (port: number): number | null =>
      spawnSync(process.execPath, image.healthCheck.slice(1), { env: { HEALTH_PORT: String(port) } }).status;
    assert.deepEqual([check(health), check(webhook)], [0, 1]);

    // What is written elsewhere fails on a read-only root; that nothing tried shows in the log.
    assert.deepEqual(
      container.lines.filter((line) => /EROFS|EACCES|EPERM/.test(line)),
      [],
    );
    assert.ok(readdirSync(data).includes('outbox.db'));
    const temporary = readdirSync(`/proc/${container.pid}/root/tmp`);
    assert.deepEqual(temporary, [image.env.NODE_COMPILE_CACHE?.split('/').at(-1)]);

    const keeper = existsSync(TINI) ? (childrenOf(container.pid)[0] ?? 0) : container.pid;
    const size = familyOf(container.pid).length;
    const [host = 0] = childrenOf(keeper);
    process.kill(host, 'SIGKILL');
    await eventually(() => childrenOf(keeper)[0] !== host && isReady(health), 30_000);

    await t.test('leaves no zombie behind', { skip: !existsSync(TINI) && 'no tini here: apt-get install tini' }, () =>
      eventually(() => {
        const states = familyOf(container.pid).map((pid) => statusOf(pid).State?.[0]);
        return states.length === size && !states.includes('Z');
      }).then(() => undefined),
    );

    const from = performance.now();
    container.signal('SIGTERM');
    assert.equal(await container.exit, 0);
    assert.ok(performance.now() - from < 10_000);
    assert.ok(container.lines.some((line) => line.includes('khook stopped')));
  });
});
