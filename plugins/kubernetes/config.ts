/** The configuration as the host hands it over: defaults filled in and validated against the manifest. */

import type { ResourceName } from './resource.ts';

export interface KubernetesConfig {
  /** One, or several with commas between them. */
  readonly namespace: string;
  readonly namespaces: readonly string[];
  readonly sources: readonly ResourceName[];
  readonly debug: boolean;
}

/** What is watched, one watch each; an empty text stands for all namespaces. */
export function watchedNamespaces(config: Pick<KubernetesConfig, 'namespace' | 'namespaces'>): string[] {
  const listed = config.namespace.split(',').map((name) => name.trim());
  const named = new Set([...config.namespaces, ...listed].filter((name) => name !== ''));
  return named.size === 0 ? [''] : [...named];
}

/** Nodes belong to no namespace: whoever may read only some namespaces may not read them. */
export function watchedSources(config: Omit<KubernetesConfig, 'debug'>): readonly ResourceName[] {
  if (config.sources.length > 0) return config.sources;
  return watchedNamespaces(config).includes('') ? ['events', 'pods', 'nodes'] : ['events', 'pods'];
}
