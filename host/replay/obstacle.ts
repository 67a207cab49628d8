/** What keeps an event from firing for a Hook, and how it is said in one line. Pure. */

export type Obstacle =
  | { readonly kind: 'invalid'; readonly causes: readonly string[] }
  | { readonly kind: 'unmapped'; readonly source: string; readonly type: string }
  | {
      readonly kind: 'mapping_disabled';
      readonly source: string;
      readonly type: string;
      readonly internalType: string;
    }
  | { readonly kind: 'no_such_hook' }
  | { readonly kind: 'type'; readonly listensTo: readonly string[]; readonly internalType: string }
  | { readonly kind: 'namespace'; readonly sees: readonly string[]; readonly namespace: string }
  /** The event has no namespace, and what its plugin says is for Hooks of these alone. */
  | { readonly kind: 'scope'; readonly source: string; readonly scope: readonly string[] }
  | { readonly kind: 'suspended' }
  /** `problem`: the filter failed; null: it said no. */
  | { readonly kind: 'filtered'; readonly filter: string; readonly problem: string | null }
  /** It has fewer configurations for such an event than it had. */
  | { readonly kind: 'none' };

const MAX_FILTER = 160;

export function obstacleWords(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'invalid':
      return `invalid: ${obstacle.causes.join('; ')}`;
    case 'unmapped':
      return `unmapped: no mapping knows ${obstacle.source}:${obstacle.type}`;
    case 'mapping_disabled':
      return `mapping_disabled: the mapping of ${obstacle.source}:${obstacle.type} is switched off`;
    case 'no_such_hook':
      return 'there is no such Hook';
    case 'type':
      return `type: it listens to ${obstacle.listensTo.join(', ')}, not to ${obstacle.internalType}`;
    case 'namespace':
      return `namespace: it sees events of ${obstacle.sees.join(', ')}, not of ${obstacle.namespace}`;
    case 'scope':
      return `namespace: the event has none, and plugin ${obstacle.source} is for Hooks of ${obstacle.scope.join(', ')}`;
    case 'suspended':
      return 'suspended';
    case 'filtered':
      return obstacle.problem === null
        ? `filtered: its filter is ${shortFilter(obstacle.filter)}`
        : `filtered: its filter failed: ${obstacle.problem}`;
    case 'none':
      return 'it fires for this event, but not as often';
  }
}

/** On one line. */
export function shortFilter(filter: string): string {
  const text = filter.replace(/\s+/g, ' ').trim();
  return text.length > MAX_FILTER ? `${text.slice(0, MAX_FILTER)}…` : text;
}
