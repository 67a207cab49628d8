/** Asks the API server what RBAC lets khook do, right by right, before anything fails for want of it; and what its clock says. */

import { messageOf } from '../../ipc/errors.ts';
import type { ApiClient } from './api-client.ts';
import { type ApiTarget, resourceOf, type Verb } from './api-target.ts';
import { ruleFor } from './refusal.ts';

export interface NeededAccess {
  readonly verb: Verb;
  readonly target: ApiTarget;
  /** What does not work without it: `the Hooks of the cluster are not read`. */
  readonly need: string;
}

export interface RefusedAccess {
  readonly verb: Verb;
  /** As RBAC names it: `hooks/status`. */
  readonly resource: string;
  /** Empty: all namespaces. */
  readonly namespace: string;
  readonly need: string;
  /** YAML: what would have to stand among the rules of a role that is bound to khook. */
  readonly rule: string;
  readonly message: string;
}

export interface AccessReview {
  readonly refused: readonly RefusedAccess[];
  /** Why it could not be asked; empty when it could. */
  readonly problem: string;
}

interface ReviewAnswer {
  readonly status?: { readonly allowed?: boolean; readonly reason?: string };
}

const REVIEWS: ApiTarget = {
  group: 'authorization.k8s.io',
  version: 'v1',
  resource: 'selfsubjectaccessreviews',
  namespace: '',
};

/** Never rejects. */
export async function reviewAccess(
  client: ApiClient,
  needed: readonly NeededAccess[],
  signal: AbortSignal,
): Promise<AccessReview> {
  const answers = await Promise.allSettled(needed.map((each) => review(client, each, signal)));
  const failed = answers.find((answer) => answer.status === 'rejected');
  return {
    refused: answers.flatMap((answer) =>
      answer.status === 'fulfilled' && answer.value !== null ? [answer.value] : [],
    ),
    problem: failed === undefined ? '' : messageOf(failed.reason),
  };
}

async function review(
  client: ApiClient,
  { verb, target, need }: NeededAccess,
  signal: AbortSignal,
): Promise<RefusedAccess | null> {
  const { group, resource, subresource, namespace, name } = target;
  const resourceAttributes = { verb, group, resource, subresource, namespace, name };
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  };
  const { status = {} } = await client.json<ReviewAnswer>({ verb: 'create', target: REVIEWS, body, signal });
  if (status.allowed !== false) return null;
  const where = namespace === '' ? 'in all namespaces' : `in namespace ${namespace}`;
  const reason = status.reason === undefined || status.reason === '' ? '' : `: ${status.reason}`;
  return {
    verb,
    resource: resourceOf(target),
    namespace,
    need,
    rule: ruleFor(verb, target),
    message: `SelfSubjectAccessReview: ${verb} ${resourceOf(target)} ${where} is not allowed${reason}`,
  };
}
