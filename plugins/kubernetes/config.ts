/** The configuration as the host hands it over: defaults filled in and validated against the manifest. */

import type { ResourceName } from './resource.ts';

export interface KubernetesConfig {
  readonly namespace: string;
  readonly namespaces: readonly string[];
  readonly sources: readonly ResourceName[];
  readonly debug: boolean;
}

/** What is watched, one watch each; an empty text stands for all namespaces. */
export function watchedNamespaces(config: Pick<KubernetesConfig, 'namespace' | 'namespaces'>): string[] {
  const named = new Set(config.namespaces);
  if (config.namespace !== '') named.add(config.namespace);
  return named.size === 0 ? [''] : [...named];
}
