/** etcd on loopback, without durability: nothing here outlives the test. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { stablePort } from './free-port.ts';
import type { Reaper } from './reaper.ts';
import { ServerProcess } from './server-process.ts';

export interface EtcdOptions {
  readonly command: string;
  readonly directory: string;
  readonly reaper: Reaper;
}

export class Etcd {
  readonly url: string;
  readonly process: ServerProcess;

  private constructor(url: string, process: ServerProcess) {
    this.url = url;
    this.process = process;
  }

  static async start({ command, directory, reaper }: EtcdOptions): Promise<Etcd> {
    const url = `http://127.0.0.1:${await stablePort()}`;
    const peers = `http://127.0.0.1:${await stablePort()}`;
    mkdirSync(join(directory, 'etcd'), { mode: 0o700 });
    const args = [
      ...['--data-dir', join(directory, 'etcd'), '--unsafe-no-fsync', '--log-level', 'warn'],
      ...['--listen-client-urls', url, '--advertise-client-urls', url],
      ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers],
      ...['--initial-cluster', `default=${peers}`],
    ];
    const isReady = async (): Promise<boolean> => (await fetch(`${url}/health`)).ok;
    const logFile = join(directory, 'etcd.log');
    const process = new ServerProcess({ name: 'etcd', command, args, logFile, reaper, isReady });
    await process.start();
    return new Etcd(url, process);
  }

  /** Nobody can start from a version before the newest one any more: what was written last can still be watched. */
  async compact(): Promise<void> {
    const { header } = await this.#call<{ header: { revision: string } }>('range', { key: btoa('/'), limit: 1 });
    await this.#call('compaction', { revision: header.revision, physical: true });
  }

  async #call<T>(what: string, body: unknown): Promise<T> {
    const answer = await fetch(`${this.url}/v3/kv/${what}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd ${what}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}
