/**
 * A real control plane: etcd and kube-apiserver with RBAC, in a temporary folder, on loopback. There is no kubelet, no scheduler and no
 * controller: `StandInKubelet` writes what they would, and a Deployment stays an object. It takes a few seconds to start and leaves nothing,
 * also when the test's process is killed. A suite that starts one says `{ skip: missingTools() }`.
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority } from '../certificates.ts';
import { eventually } from '../eventually.ts';
import { ApiClient, ApiStatusError, type Credentials } from './api-client.ts';
import { AUDIT_FILE, apiServerFlags } from './api-server-flags.ts';
import { type AuditedRequest, readAuditLog } from './audit-log.ts';
import { Etcd } from './etcd.ts';
import { stablePort } from './free-port.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { Reaper } from './reaper.ts';
import { ServerProcess } from './server-process.ts';
import { TokenSigner } from './token-signer.ts';
import { requireTools, type Tools } from './tools.ts';

export interface ControlPlaneOptions {
  /** Of kube-apiserver, such as `--min-request-timeout=5`. */
  readonly flags?: readonly string[];
}

export interface CommandOptions {
  /** A kubeconfig file. Default: the administrator's. */
  readonly kubeconfig?: string;
  readonly input?: string;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Parts {
  readonly tools: Tools;
  readonly directory: string;
  readonly reaper: Reaper;
  readonly etcd: Etcd;
  readonly apiServer: ServerProcess;
  readonly port: number;
  readonly ca: string;
  readonly signer: TokenSigner;
  readonly credentials: Credentials;
  readonly admin: ApiClient;
}

export class ControlPlane {
  readonly #parts: Parts;
  readonly directory: string;
  /** `https://127.0.0.1:PORT`, the same after a restart. */
  readonly server: string;
  readonly port: number;
  readonly ca: string;
  /** May do everything. */
  readonly admin: ApiClient;
  /** The administrator's kubeconfig file. */
  readonly kubeconfig: string;
  /** Signs tokens as the API server does. */
  readonly signer: TokenSigner;
  readonly etcd: Etcd;
  /** Stop, kill, freeze and start it; `restart` does two of them. */
  readonly apiServer: ServerProcess;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.directory = parts.directory;
    this.port = parts.port;
    this.server = `https://127.0.0.1:${parts.port}`;
    this.ca = parts.ca;
    this.admin = parts.admin;
    this.signer = parts.signer;
    this.etcd = parts.etcd;
    this.apiServer = parts.apiServer;
    this.kubeconfig = this.writeKubeconfig('admin.kubeconfig', { credentials: parts.credentials });
  }

  /** Resolves when the API server is ready. `stop` it after the test. */
  static async start({ flags = [] }: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const tools = requireTools();
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'khook-cluster-')));
    const reaper = new Reaper(directory);
    try {
      const authority = new CertificateAuthority(directory);
      authority.issueServer('api-server');
      const credentials = { kind: 'certificate', ...authority.issueClient('admin', 'system:masters') } as const;
      const signer = new TokenSigner(directory);
      const etcd = await Etcd.start({ command: tools.etcd, directory, reaper });
      const port = await stablePort();
      const { ca } = authority;
      const admin = new ApiClient({ server: `https://127.0.0.1:${port}`, ca, credentials });
      const apiServer = new ServerProcess({
        name: 'kube-apiserver',
        command: tools['kube-apiserver'],
        args: [...apiServerFlags({ directory, port, etcdUrl: etcd.url, tokenKeyFile: signer.keyFile }), ...flags],
        logFile: join(directory, 'kube-apiserver.log'),
        reaper,
        isReady: async () => (await admin.text('/readyz')) === 'ok',
      });
      const parts = { tools, directory, reaper, etcd, apiServer, port, ca, signer, credentials, admin };
      const plane = new ControlPlane(parts);
      await apiServer.start();
      await eventually(() => plane.#createDefaultAccount('default'));
      return plane;
    } catch (error) {
      await reaper.end();
      throw error;
    }
  }

  /** Nothing is left of it then. */
  async stop(): Promise<void> {
    this.admin.close();
    // Nobody needs what they would still write.
    await this.apiServer.kill();
    await this.etcd.process.kill();
    await this.#parts.reaper.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** The API server again, as after an upgrade (`stop`) or a fault (`kill`). Watches end; what is stored stays. */
  async restart(how: 'stop' | 'kill' = 'stop'): Promise<void> {
    await this.apiServer[how]();
    await this.apiServer.start();
  }

  /** With the account that pods need, as a controller would. */
  async createNamespace(name: string): Promise<void> {
    await this.admin.create('/api/v1/namespaces', { metadata: { name } });
    await this.#createDefaultAccount(name);
  }

  kubectl(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return this.#run(this.#parts.tools.kubectl, { args, ...options });
  }

  helm(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return this.#run(this.#parts.tools.helm, { args, ...options });
  }

  /** Requests answered so far, without the administrator's. `user`: `system:serviceaccount:NAMESPACE:NAME`. */
  requests(user?: string): AuditedRequest[] {
    return readAuditLog(join(this.directory, AUDIT_FILE), user);
  }

  /** Returns the path. `server`: a proxy's, default its own. */
  writeKubeconfig(
    name: string,
    user: { readonly credentials: Credentials; readonly namespace?: string; readonly server?: string },
  ): string {
    const file = join(this.directory, name);
    writeFileSync(file, kubeconfigText({ server: this.server, ca: this.ca, ...user }), { mode: 0o600 });
    return file;
  }

  async #createDefaultAccount(namespace: string): Promise<true> {
    try {
      await this.admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } });
    } catch (error) {
      if (!(error instanceof ApiStatusError) || error.reason !== 'AlreadyExists') throw error;
    }
    return true;
  }

  #run(command: string, options: CommandOptions & { args: readonly string[] }): Promise<CommandResult> {
    const { args, input = '', kubeconfig = this.kubeconfig } = options;
    const env = { PATH: process.env.PATH ?? '', HOME: this.directory, KUBECONFIG: kubeconfig };
    return new Promise((resolve) => {
      const child = execFile(command, args, { env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr });
      });
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
  }
}
