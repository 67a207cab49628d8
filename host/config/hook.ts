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
  /** File it was read from, or `cluster`. */
  readonly origin: string;
}

export function hookId(hook: Pick<Hook, 'namespace' | 'name'>): string {
  return `${hook.namespace}/${hook.name}`;
}
