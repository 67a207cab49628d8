/** Firings for the tests of dispatch. */

import type { Firing } from '../../../host/match/verdict.ts';

export function firing(changes: Partial<Firing> = {}): Firing {
  return {
    index: 0,
    repeats: [],
    hook: 'kagent/crashes',
    configuration: 0,
    agent: { namespace: 'kagent', name: 'k8s-agent' },
    prompt: 'Pod api restarts.',
    dedupKey: 'kagent/crashes kubernetes PodRestart default api',
    source: 'kubernetes',
    eventType: 'pod-restart',
    internalType: 'PodRestart',
    severity: 'warning',
    resourceName: 'api',
    namespace: 'default',
    // Now, whenever that is.
    occurredAt: Number.MAX_SAFE_INTEGER,
    ...changes,
  };
}

/** The n-th of many different ones. */
export function nthFiring(n: number, changes: Partial<Firing> = {}): Firing {
  return firing({ dedupKey: `key-${n}`, resourceName: `pod-${n}`, ...changes });
}
