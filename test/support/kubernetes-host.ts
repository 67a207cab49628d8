/** Files of a host that runs the shipped Kubernetes plugin, and what came of it. */

import { readFileSync } from 'node:fs';
import type { HostFiles, LogLine } from './running-host.ts';

const TYPES = ['pod-restart', 'oom-kill', 'pod-pending', 'probe-failed', 'node-not-ready'];

/** A Hook that asks an agent about everything the plugin tells, with the type and the name as prompt. */
export function everyTypeHook(namespace: string): string {
  const eventConfigurations = TYPES.map((eventType) => ({
    eventType,
    agentRef: { name: 'k8s-agent' },
    prompt: `${eventType} {{.ResourceName}}`,
  }));
  const metadata = { name: 'everything', namespace };
  return JSON.stringify({ apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata, spec: { eventConfigurations } });
}

export function kubernetesPlugins(config: object = {}, settings: object = {}): string {
  const entry = { name: 'kubernetes', required: true, config, permissions: { kubernetes: true } };
  return JSON.stringify({ plugins: [entry], settings: { shutdownGrace: '1s', ...settings } });
}

export interface KubernetesFiles extends HostFiles {
  readonly kubeconfig: string;
  /** Of the plugin. */
  readonly config?: object;
}

export function kubernetesFiles({ kubeconfig, config = {}, ...given }: KubernetesFiles): HostFiles {
  return {
    plugins: kubernetesPlugins(config),
    mappings: readFileSync('config/event-mappings.yaml', 'utf8'),
    hooks: { 'h.yaml': everyTypeHook('shop') },
    bundles: { kubernetes: 'plugins/kubernetes' },
    env: { KUBECONFIG: kubeconfig },
    ...given,
  };
}

/** What the embedded agent was asked: the first line of each prompt, sorted. */
export function asked({ log }: { readonly log: readonly LogLine[] }): string[] {
  const prompts = log.filter(({ msg }) => msg === 'Embedded agent was sent a prompt');
  return prompts.map(({ prompt }) => String(prompt).split('\n')[0] ?? '').sort();
}
