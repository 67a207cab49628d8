/** A Hook as every room uses it, whatever file or cluster it came from. */

export interface AgentRef {
  readonly namespace: string;
  readonly name: string;
}

export interface EventConfiguration {
  /** A raw type (`pod-restart`) or an internal type (`PodRestart`). */
  readonly eventType: string;
  readonly agent: AgentRef;
  /** Go text/template. */
  readonly prompt: string;
}

export interface Hook {
  readonly namespace: string;
  readonly name: string;
  readonly eventConfigurations: readonly EventConfiguration[];
  /** Further namespaces whose events it sees; `*` = all. Empty: its own only. Honoured in the controller's namespace alone. */
  readonly namespaces: readonly string[];
  readonly suspend: boolean;
  /** CEL over `event`; absent: every event passes. */
  readonly filter?: string;
  /** False: event text stands in prompts as it is, not marked as untrusted. Absent: true. */
  readonly fence?: boolean;
  /** What counts as the same for dedup. Absent: resource. */
  readonly groupBy?: GroupBy;
  /** Of one firing: each call, and how long its task is followed. Absent: the host's settings. */
  readonly timeoutMs?: number;
  /** Firings sent in an hour; what is over becomes a digest. Absent: no limit. */
  readonly callsPerHour?: number;
  /** File it was read from, or `cluster`. */
  readonly origin: string;
}

export const GROUPS = ['resource', 'workload'] as const;
export type GroupBy = (typeof GROUPS)[number];

export function hookId(hook: Pick<Hook, 'namespace' | 'name'>): string {
  return `${hook.namespace}/${hook.name}`;
}
