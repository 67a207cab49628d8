/** A control plane with khook's chart in it, and hosts that speak to it with the rights of the chart and no others. */

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { AppHost, type AppHostFiles } from '../app-host.ts';
import { eventually } from '../eventually.ts';
import { ControlPlane, type ControlPlaneOptions } from './control-plane.ts';
import { ServiceAccount } from './service-account.ts';

const CHART = resolve('deploy/helm/khook');

export interface HookStatusView {
  readonly observedGeneration?: number;
  readonly activeEventCount?: number;
  readonly lastFired?: string;
  readonly activeEvents?: readonly {
    readonly resourceName: string;
    readonly status: string;
    readonly messageId?: string;
    readonly lastNotified?: string;
    readonly dedupKey?: string;
  }[];
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
}

export interface HookView {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string; readonly generation: number };
  readonly status?: HookStatusView;
}

export interface EventView {
  readonly reason: string;
  readonly type: string;
  readonly message: string;
  readonly count: number;
}

export class HookPlane {
  readonly plane: ControlPlane;
  readonly account: ServiceAccount;

  private constructor(plane: ControlPlane, account: ServiceAccount) {
    this.plane = plane;
    this.account = account;
  }

  /** `values`: of the chart, as `--set` takes them. */
  static async start(options: ControlPlaneOptions & { readonly values?: readonly string[] } = {}): Promise<HookPlane> {
    const plane = await ControlPlane.start(options);
    try {
      for (const namespace of ['kagent', 'shop']) await plane.createNamespace(namespace);
      const set = (options.values ?? []).flatMap((value) => ['--set', value]);
      const { code, stderr } = await plane.helm(['install', 'khook', CHART, '-n', 'kagent', ...set]);
      assert.equal(code, 0, stderr);
      return new HookPlane(plane, await ServiceAccount.of(plane, { namespace: 'kagent', name: 'khook' }));
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.plane.stop();
  }

  /** What a host needs to be told to speak to this cluster. `server`: a proxy's. */
  async files(files: AppHostFiles = {}, server?: string): Promise<AppHostFiles> {
    const KUBECONFIG = await this.account.kubeconfig(server === undefined ? {} : { server });
    return {
      ...files,
      env: { KUBECONFIG, POD_NAMESPACE: 'kagent', POD_NAME: 'khook-0', ...files.env },
      flags: ['--hooks', 'cluster', ...(files.flags ?? [])],
    };
  }

  /** Resolves when its plugins may run. */
  async host(t: Pick<TestContext, 'after'>, files: AppHostFiles = {}, server?: string): Promise<AppHost> {
    const host = await AppHost.start(t, await this.files(files, server));
    await eventually(() => isOpen(host));
    return host;
  }

  async apply(...objects: readonly unknown[]): Promise<void> {
    const input = objects.map((object) => JSON.stringify(object)).join('\n---\n');
    const { code, stderr } = await this.plane.kubectl(['apply', '-f', '-'], { input });
    assert.equal(code, 0, stderr);
  }

  async hook(namespace: string, name: string): Promise<HookView> {
    return this.plane.admin.get<HookView>(`/apis/kagent.dev/v1alpha2/namespaces/${namespace}/hooks/${name}`);
  }

  async status(namespace: string, name: string): Promise<HookStatusView> {
    return (await this.hook(namespace, name)).status ?? {};
  }

  async events(namespace: string, hook: string): Promise<readonly EventView[]> {
    const selector = `involvedObject.kind=Hook,involvedObject.name=${hook}`;
    const path = `/api/v1/namespaces/${namespace}/events?fieldSelector=${encodeURIComponent(selector)}`;
    return (await this.plane.admin.get<{ items: EventView[] }>(path)).items;
  }

  /** So many requests of khook itself, by verb and resource. */
  requests(verb: string, part: string): number {
    return this.plane.requests(this.account.user).filter((each) => each.verb === verb && each.uri.includes(part))
      .length;
  }
}

async function isOpen(host: AppHost): Promise<boolean> {
  const { outcome } = await host.emit({ type: 'are-you-open', source: 'nobody' });
  return outcome === 'unmapped';
}

export function hook(namespace: string, name: string, spec: Readonly<Record<string, unknown>> = {}): unknown {
  const configuration = {
    eventType: 'pod-restart',
    agentRef: { name: 'k8s-agent' },
    prompt: `Look at {{.ResourceName}}.`,
  };
  return {
    apiVersion: 'kagent.dev/v1alpha2',
    kind: 'Hook',
    metadata: { namespace, name },
    spec: { eventConfigurations: [configuration], ...spec },
  };
}

/** A pod of this namespace restarts. */
export function restart(namespace: string, resourceName: string): Record<string, unknown> {
  return { source: 'kubernetes', type: 'pod-restart', namespace, resourceName, message: 'Back-off' };
}
