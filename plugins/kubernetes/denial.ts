/** What to do when the API server refuses: in words, and as the rule to grant. Pure. */

import type { ApiError } from './api-error.ts';

export interface Denial {
  readonly problem: string;
  readonly remedy: string;
}

const RULE = 'apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["get", "list", "watch"]';

/** `namespace`: empty for all. */
export function denialOf(error: ApiError, namespace: string): Denial {
  const where = namespace === '' ? 'in all namespaces' : `in namespace '${namespace}'`;
  if (error.status === 401) {
    return {
      problem: `not allowed to ${error.verb} events.k8s.io/events ${where}, because the API server does not accept the credentials: ${error.message}`,
      remedy:
        'the token or client certificate is expired or of another cluster: renew the kubeconfig, or check the service account of the pod',
    };
  }
  const role = namespace === '' ? 'ClusterRole' : `ClusterRole, or a Role in namespace '${namespace}'`;
  const narrower = namespace === '' ? "; or name the namespaces it may read in the plugin's config" : '';
  return {
    problem: `not allowed to ${error.verb} events.k8s.io/events ${where}: ${error.message}`,
    remedy: `bind a ${role} with the rule { ${RULE} } to khook's service account${narrower}`,
  };
}
