/** The collections of the API server that are watched, and what one needs to be allowed to. Pure. */

export type ResourceName = 'events' | 'pods' | 'nodes';

export interface Resource {
  readonly name: ResourceName;
  /** Empty for the core group. */
  readonly apiGroup: string;
  readonly root: string;
  /** Nodes belong to no namespace. */
  readonly isNamespaced: boolean;
  /** Objects in one page of a list: a pod is some ten kilobytes of JSON, and a page is held as a whole. */
  readonly pageSize: number;
}

export const RESOURCES: Readonly<Record<ResourceName, Resource>> = {
  events: {
    name: 'events',
    apiGroup: 'events.k8s.io',
    root: '/apis/events.k8s.io/v1',
    isNamespaced: true,
    pageSize: 500,
  },
  pods: { name: 'pods', apiGroup: '', root: '/api/v1', isNamespaced: true, pageSize: 100 },
  nodes: { name: 'nodes', apiGroup: '', root: '/api/v1', isNamespaced: false, pageSize: 100 },
};

/** One watch: a collection, in one namespace or (empty) in all. */
export interface Scope {
  readonly resource: Resource;
  readonly namespace: string;
}

export function pathOf({ resource, namespace }: Scope): string {
  const within = namespace === '' ? '' : `/namespaces/${namespace}`;
  return `${resource.root}${within}/${resource.name}`;
}

/** `events.k8s.io/events in namespace 'shop'`, `nodes`. */
export function describeScope({ resource: { name, apiGroup, isNamespaced }, namespace }: Scope): string {
  const what = apiGroup === '' ? name : `${apiGroup}/${name}`;
  if (!isNamespaced) return what;
  return `${what} ${namespace === '' ? 'in all namespaces' : `in namespace '${namespace}'`}`;
}

/** A collection that belongs to no namespace is watched once. */
export function scopesOf(sources: readonly ResourceName[], namespaces: readonly string[]): Scope[] {
  return [...new Set(sources)].flatMap((source) => {
    const resource = RESOURCES[source];
    return resource.isNamespaced
      ? namespaces.map((namespace) => ({ resource, namespace }))
      : [{ resource, namespace: '' }];
  });
}
