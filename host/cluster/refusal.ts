/** What RBAC does not let khook do, in words and as the rule that is missing. */

import type { ApiError } from './api-error.ts';
import { type ApiTarget, resourceOf, type Verb } from './api-target.ts';

export interface Refusal {
  readonly verb: Verb;
  /** As RBAC names it: `hooks/status`. */
  readonly resource: string;
  /** Empty: the core group. */
  readonly group: string;
  /** Where it was refused; empty: all namespaces. */
  readonly namespace: string;
  /** In the words of the API server. */
  readonly message: string;
  /** YAML: what would have to stand among the rules of a role that is bound to khook. */
  readonly rule: string;
}

export function refusalOf({ verb, target, message }: ApiError): Refusal {
  const { group, namespace } = target;
  return { verb, resource: resourceOf(target), group, namespace, message, rule: ruleFor(verb, target) };
}

function ruleFor(verb: Verb, target: ApiTarget): string {
  // Who may list and not watch has nothing of it.
  const verbs = verb === 'list' || verb === 'watch' ? ['get', 'list', 'watch'] : [verb];
  const list = (words: readonly string[]): string => `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
  return [
    `- apiGroups: ${list([target.group])}`,
    `  resources: ${list([resourceOf(target)])}`,
    `  verbs: ${list(verbs)}`,
  ].join('\n');
}

export interface RefusalsOptions {
  /** Roles are per namespace: each is told of. Else the first namespace stands for all. */
  readonly isPerNamespace: boolean;
  readonly onRefused: (refusal: Refusal) => void;
  readonly onLifted: (refusal: Refusal) => void;
}

const MAX_STANDING = 1_000;

/** Those that stand now. Each is told once, and again only if it was lifted meanwhile. */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #standing = new Map<string, Refusal>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  get all(): readonly Refusal[] {
    return [...this.#standing.values()];
  }

  note(error: ApiError): void {
    const key = this.#key(error.verb, error.target);
    if (this.#standing.has(key) || this.#standing.size >= MAX_STANDING) return;
    const refusal = refusalOf(error);
    this.#standing.set(key, refusal);
    this.#options.onRefused(refusal);
  }

  /** It was allowed just now. Only where it was refused before does that mean anything. */
  lift(verb: Verb, target: ApiTarget): void {
    if (this.#standing.size === 0) return;
    const key = this.#key(verb, target);
    const refusal = this.#standing.get(key);
    if (refusal === undefined || refusal.namespace !== target.namespace) return;
    this.#standing.delete(key);
    this.#options.onLifted(refusal);
  }

  #key(verb: Verb, target: ApiTarget): string {
    const where = this.#options.isPerNamespace ? target.namespace : '';
    return [verb, target.group, resourceOf(target), where].join(' ');
  }
}
