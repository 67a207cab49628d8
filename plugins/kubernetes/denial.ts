/** What to do when the API server refuses: in words, and as the rule to grant. Pure. */

import type { ApiError } from './api-error.ts';
import { describeScope, type Scope } from './resource.ts';

export interface Denial {
  readonly problem: string;
  readonly remedy: string;
  /** YAML that can be pasted; empty when no rule would help. */
  readonly rule: string;
}

export function denialOf(error: ApiError, scope: Scope): Denial {
  const where = describeScope(scope);
  if (error.status === 401) {
    return {
      problem: `not allowed to ${error.verb} ${where}, because the API server does not accept the credentials: ${error.message}`,
      remedy:
        'the token or client certificate is expired or of another cluster: renew the kubeconfig, or check the service account of the pod',
      rule: '',
    };
  }
  const { resource, namespace } = scope;
  const role = namespace === '' ? 'a ClusterRole' : `a ClusterRole, or a Role in namespace '${namespace}',`;
  const ways = [`bind ${role} with this rule to ${userOf(error)}`];
  if (namespace === '' && resource.isNamespaced) ways.push("name the namespaces it may read in the plugin's config");
  ways.push(`leave '${resource.name}' out of 'sources'`);
  return {
    problem: `not allowed to ${error.verb} ${where}: ${error.message}`,
    remedy: ways.join('; or '),
    rule: ruleFor(scope),
  };
}

function ruleFor({ resource: { apiGroup, name } }: Scope): string {
  return `- apiGroups: ["${apiGroup}"]\n  resources: ["${name}"]\n  verbs: ["get", "list", "watch"]`;
}

/** The API server names who it was that may not. */
function userOf({ message }: ApiError): string {
  const account = /"system:serviceaccount:([^:"]+):([^:"]+)"/.exec(message);
  return account === null ? "khook's service account" : `the service account '${account[2]}' of '${account[1]}'`;
}
