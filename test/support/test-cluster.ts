/** A cluster for end-to-end tests: the test's API server behind TLS, and a kubeconfig whose token stands in a file. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ApiServer } from './api-server.ts';
import { makeCertificates } from './certificates.ts';
import { tempDir } from './temp-dir.ts';

export class TestCluster {
  readonly api: ApiServer;
  /** The kubeconfig. */
  readonly file: string;
  readonly #directory: string;
  readonly #ca: string;

  private constructor(directory: string, api: ApiServer, ca: string) {
    this.#directory = directory;
    this.api = api;
    this.#ca = ca;
    this.file = join(directory, 'kubeconfig');
  }

  static async start(t: Pick<TestContext, 'after'>): Promise<TestCluster> {
    const certificates = makeCertificates(t);
    const api = new ApiServer(certificates);
    const cluster = new TestCluster(tempDir(t), api, certificates.ca);
    const { server } = await api.open();
    t.after(() => api.close());
    cluster.grant('token-1');
    cluster.pointAt(server);
    return cluster;
  }

  /** Replaces the token; the API server takes no other. */
  grant(token: string): void {
    writeFileSync(join(this.#directory, 'token'), `${token}\n`);
    this.api.faults = { ...this.api.faults, tokens: [token] };
  }

  pointAt(server: string): void {
    const cluster = { server, 'certificate-authority-data': Buffer.from(this.#ca).toString('base64') };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'here',
      contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { tokenFile: 'token' } }],
    };
    writeFileSync(this.file, JSON.stringify(config));
  }
}
