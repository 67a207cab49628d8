/** khook as the chart starts it, from what the Dockerfile copies and installs, in a container of its own. The base image is not part of it. */

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { Container } from './container.ts';
import { type Image, readDockerfile } from './dockerfile.ts';
import type { Manifest } from './helm.ts';
import { childrenOf } from './process-stats.ts';
import { tempDir } from './temp-dir.ts';

export const TINI = '/usr/bin/tini';
export const MISSING_TINI = !existsSync(TINI) && `no ${TINI} here: apt-get install tini`;
const PATH = '/opt/node:/usr/sbin:/usr/bin:/sbin:/bin';
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface Cluster {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly token: string;
}

export interface KhookOptions {
  /** Of `buildTree`. */
  readonly tree: string;
  /** What the chart rendered or installed: a Deployment and ConfigMaps. */
  readonly objects: readonly Manifest[];
  /** Absent: there is no service account. */
  readonly cluster?: Cluster;
}

interface Env {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
}

export class KhookContainer {
  readonly image: Image;
  readonly container: Container;
  /** The data folder. */
  readonly data: string;

  private constructor(image: Image, container: Container, data: string) {
    this.image = image;
    this.container = container;
    this.data = data;
  }

  /** Killed after the test. */
  static async start(t: Pick<TestContext, 'after'>, { tree, objects, cluster }: KhookOptions): Promise<KhookContainer> {
    const image = readDockerfile();
    const { args, env } = containerOf(objects);
    const data = tempDir(t);
    // As the kubelet leaves a volume with fsGroup: root's, and writable for the group.
    chownSync(data, 0, image.user);
    chmodSync(data, 0o2770);
    const node = tempDir(t);
    copyFileSync(process.execPath, join(node, 'node'));
    for (const folder of [tree, node]) chmodSync(folder, 0o755);
    const entrypoint = MISSING_TINI ? image.entrypoint.slice(image.entrypoint.indexOf('--') + 1) : image.entrypoint;
    const container = await Container.start(t, {
      readable: {
        [tree]: '/opt/khook',
        [node]: '/opt/node',
        [configFolder(t, objects)]: '/etc/khook',
        ...(cluster && { [accountFolder(t, cluster)]: SERVICE_ACCOUNT }),
      },
      writable: { [data]: '/var/lib/khook' },
      // Several of these may run on the network of one machine.
      command: [...entrypoint, ...args, '--admin-port=0'],
      env: { ...image.env, ...variables(env), ...(cluster && variablesOf(cluster)), PATH },
      user: image.user,
      cwd: image.workdir,
    });
    return new KhookContainer(image, container, data);
  }

  get keeper(): number {
    return MISSING_TINI ? this.container.pid : (childrenOf(this.container.pid)[0] ?? 0);
  }
}

/** What `npm ci` of the Dockerfile leaves, and what it copies, in a folder. */
export function buildTree(tree: string): void {
  const image = readDockerfile();
  for (const [from, to] of image.copies) {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    cpSync(resolve(from), join(tree, to), { recursive: true });
  }
  const [npm = '', ...args] = image.install;
  execFileSync(npm, [...args, '--prefer-offline'], { cwd: tree, stdio: 'pipe' });
}

/** Ports that are free now; port 0 means nothing to a Service. */
export async function freePorts(count: number): Promise<number[]> {
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

function containerOf(objects: readonly Manifest[]): { args: readonly string[]; env: readonly Env[] } {
  const deployment = objects.find(({ kind }) => kind === 'Deployment') as unknown as {
    spec: { template: { spec: { containers: { args: string[]; env: Env[] }[] } } };
  };
  return deployment.spec.template.spec.containers[0] ?? { args: [], env: [] };
}

/** As the kubelet fills them in. */
function variables(env: readonly Env[]): Record<string, string> {
  const fields: Record<string, string> = { 'metadata.name': 'khook-7d4b9c6f5-x2x7k', 'metadata.namespace': 'kagent' };
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => [name, value ?? fields[valueFrom?.fieldRef?.fieldPath ?? ''] ?? '']),
  );
}

function variablesOf({ host, port }: Cluster): Record<string, string> {
  return { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: String(port) };
}

function configFolder(t: Pick<TestContext, 'after'>, objects: readonly Manifest[]): string {
  const files = objects.filter(({ kind }) => kind === 'ConfigMap').map(({ data }) => data as Record<string, string>);
  return kubeletFolder(t, Object.assign({}, ...files) as Record<string, string>);
}

function accountFolder(t: Pick<TestContext, 'after'>, { ca, token }: Cluster): string {
  return kubeletFolder(t, { 'ca.crt': ca, token, namespace: 'kagent' });
}

/** As the kubelet lays volumes out: links to links, so that all files change at once. */
function kubeletFolder(t: Pick<TestContext, 'after'>, files: Readonly<Record<string, string>>): string {
  const folder = tempDir(t);
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, '..2026'));
  symlinkSync('..2026', join(folder, '..data'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, '..2026', name), text);
    symlinkSync(`..data/${name}`, join(folder, name));
  }
  return folder;
}
