/** What a request to the API server is about: names a path, and in words what RBAC would have to allow. Pure. */

export const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const;
export type Verb = (typeof VERBS)[number];

export interface ApiTarget {
  /** Empty: the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural: `hooks`. */
  readonly resource: string;
  /** Empty: all namespaces. */
  readonly namespace: string;
  readonly name?: string;
  readonly subresource?: string;
  /** Of a `proxy`: the path there, from its slash on. */
  readonly below?: string;
}

export function pathOf({ group, version, resource, namespace, name, subresource, below = '' }: ApiTarget): string {
  const parts = [
    ...(group === '' ? ['api', version] : ['apis', group, version]),
    ...(namespace === '' ? [] : ['namespaces', namespace]),
    ...[resource, name, subresource].filter((part) => part !== undefined),
  ];
  return `/${parts.map(encodeURIComponent).join('/')}${below}`;
}

/** As RBAC names it: `hooks/status`. */
export function resourceOf({ resource, subresource }: ApiTarget): string {
  return subresource === undefined ? resource : `${resource}/${subresource}`;
}
