/** Hooks as the API server has them, and what dispatch takes over, for the tests of this room. */

import type { TakenFiring } from '../../../host/cluster/active-events.ts';
import type { HookObject } from '../../../host/cluster/hook-store.ts';
import type { StoredObject } from '../../support/api-server.ts';
import { firing } from '../dispatch/firing.ts';

export interface HookChanges {
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly spec?: unknown;
  readonly status?: unknown;
}

export const SPEC = {
  eventConfigurations: [{ eventType: 'pod-restart', agentRef: { name: 'k8s-agent' }, prompt: 'Look.' }],
};

export function hookObject(changes: HookChanges = {}): HookObject & StoredObject {
  const { namespace = 'shop', name = 'h', generation = 1, resourceVersion = '1', spec = SPEC, status } = changes;
  const metadata = { namespace, name, generation, resourceVersion, uid: changes.uid ?? `uid-${namespace}-${name}` };
  return { apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata, spec, ...(status !== undefined && { status }) };
}

/** `at`: wall milliseconds. */
export function taken(
  n: number,
  at: number,
  changes: { readonly hook?: string; readonly messageId?: string } = {},
): TakenFiring {
  const { hook = 'shop/h', messageId = `message-${n}` } = changes;
  const dedupKey = JSON.stringify([hook, 'kubernetes', 'PodRestart', 'shop', `pod-${n}`]);
  return {
    messageId,
    contextId: `context-${n}`,
    acceptedAt: at,
    firing: firing({ hook, dedupKey, resourceName: `pod-${n}`, namespace: 'shop' }),
  };
}
