/** The connection of a kubeconfig: its current context, with whatever log-in its user has. The client library is loaded only here: it is large. */

import { readFile, stat } from 'node:fs/promises';
import { delimiter, dirname, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import type { KubernetesConnection } from '../../ipc/control.ts';

/** What a kubeconfig says is wrong about it, in words for its owner. */
export class KubeconfigError extends Error {}

interface Parsed {
  readonly stamp: string;
  readonly config: KubeConfig;
  /** User → absolute path of the file that holds its token. The library reads it under a key that nobody writes. */
  readonly tokenFiles: ReadonlyMap<string, string>;
}

export class Kubeconfig {
  readonly #files: readonly string[];
  /** Kept while the files are what they were: it remembers what a log-in command said, until that expires. */
  #parsed: Parsed | null = null;

  /** `files`: those that exist, the first wins. */
  constructor(files: readonly string[]) {
    this.#files = files;
  }

  get origin(): string {
    return this.#files.join(delimiter);
  }

  /** Forgets what a log-in command said: it is asked again. */
  forget(): void {
    this.#parsed = null;
  }

  #noCluster({ currentContext: name, contexts }: KubeConfig): string {
    const who = `the kubeconfig ${this.origin}`;
    if (!name) return `${who} has no current context; kubectl config use-context NAME sets one`;
    const context = contexts.find((each) => each.name === name);
    if (context === undefined)
      return `${who} has no context '${name}', which its current-context names; it has ${contexts.map((each) => each.name).join(', ') || 'none'}: kubectl config use-context NAME chooses one`;
    return `${who} has no cluster '${context.cluster}', which its context '${name}' names; kubectl config get-clusters lists those it has`;
  }

  /** Rejects with what is wrong. */
  async read(): Promise<KubernetesConnection> {
    const { config, tokenFiles } = await this.#parse();
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw new KubeconfigError(this.#noCluster(config));
    const { user } = config.getContextObject(config.currentContext) ?? {};
    if (user !== undefined && user !== '' && config.getCurrentUser() === null) {
      const words = `the kubeconfig ${this.origin} has no user '${user}', which its current context names`;
      throw new KubeconfigError(`${words}; kubectl config get-users lists those it has`);
    }
    const tls: { cert?: unknown; key?: unknown; ca?: unknown; headers?: Record<string, unknown> } = { headers: {} };
    // Runs an exec plugin of the kubeconfig (cloud log-ins) when there is one.
    await config.applyToHTTPSOptions(tls as never);
    const authorization = tls.headers?.Authorization;
    const told = typeof authorization === 'string' ? authorization.replace(/^Bearer /, '').trim() : null;
    const tokenFile = tokenFiles.get(config.getCurrentUser()?.name ?? '');
    const token = told ?? (tokenFile === undefined ? null : (await readFile(tokenFile, 'utf8')).trim());
    const [cert, key, ca] = [text(tls.cert), text(tls.key), text(tls.ca)];
    return {
      server: cluster.server.replace(/\/+$/, ''),
      ca,
      token,
      clientCertificate: cert !== null && key !== null ? { cert, key } : null,
      skipTlsVerify: cluster.skipTLSVerify === true,
      namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    };
  }

  async #parse(): Promise<Parsed> {
    const stamp = (await Promise.all(this.#files.map(stampOf))).join(' ');
    if (this.#parsed?.stamp === stamp) return this.#parsed;
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    const tokenFiles = new Map<string, string>();
    for (const file of this.#files) {
      const next = new KubeConfig();
      next.loadFromFile(file);
      merge(config, next);
      for (const [user, tokenFile] of tokenFilesOf(parse(await readFile(file, 'utf8'))))
        if (!tokenFiles.has(user)) tokenFiles.set(user, resolve(dirname(file), tokenFile));
    }
    this.#parsed = { stamp, config, tokenFiles };
    return this.#parsed;
  }
}

/** As kubectl does it: what an earlier file says stands. */
function merge(config: KubeConfig, next: KubeConfig): void {
  for (const each of next.getClusters()) if (config.getCluster(each.name) === null) config.addCluster(each);
  for (const each of next.getUsers()) if (config.getUser(each.name) === null) config.addUser(each);
  for (const each of next.getContexts()) if (config.getContextObject(each.name) === null) config.addContext(each);
  if (!config.getCurrentContext() && next.getCurrentContext()) config.setCurrentContext(next.getCurrentContext());
}

function tokenFilesOf(document: unknown): [user: string, tokenFile: string][] {
  const { users } = (document ?? {}) as { users?: { name?: unknown; user?: { tokenFile?: unknown } }[] };
  return (Array.isArray(users) ? users : []).flatMap(({ name, user }) =>
    typeof name === 'string' && typeof user?.tokenFile === 'string' ? [[name, user.tokenFile]] : [],
  );
}

async function stampOf(file: string): Promise<string> {
  const { ino, size, mtimeMs } = await stat(file);
  return `${ino}:${size}:${mtimeMs}`;
}

function text(value: unknown): string | null {
  return typeof value === 'string' || Buffer.isBuffer(value) ? String(value) : null;
}
