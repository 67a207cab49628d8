/** What RBAC does not let khook do, in words and as the rule that is missing. */

import type { Clock } from '../../ipc/clock.ts';
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

function refusalOf({ verb, target, message }: ApiError): Refusal {
  const { group, namespace } = target;
  return { verb, resource: resourceOf(target), group, namespace, message, rule: ruleFor(verb, target) };
}

export function ruleFor(verb: Verb, target: ApiTarget): string {
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
  readonly clock: Clock;
  /** Roles are per namespace: each is told of. Else the first namespace stands for all. */
  readonly isPerNamespace: boolean;
  readonly onRefused: (refusal: Refusal) => void;
  readonly onLifted: (refusal: Refusal) => void;
  /** How long it is refused before it is told. */
  readonly graceMs?: number;
}

/** An API server that has just started refuses what it allows a moment later, when it knows its roles. */
const GRACE_MS = 5_000;
const MAX_STANDING = 1_000;

interface Standing {
  readonly refusal: Refusal;
  /** Monotonic. */
  readonly since: number;
  isTold: boolean;
}

/** Those that stand now. Each is told once, and again only if it was lifted meanwhile. */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #standing = new Map<string, Standing>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  get all(): readonly Refusal[] {
    return [...this.#standing.values()].filter(({ isTold }) => isTold).map(({ refusal }) => refusal);
  }

  /** It was refused. Whoever is refused asks again, from time to time. */
  note(error: ApiError): void {
    const { clock, graceMs = GRACE_MS, onRefused } = this.#options;
    const key = this.#key(error.verb, error.target);
    let standing = this.#standing.get(key);
    if (standing === undefined) {
      if (this.#standing.size >= MAX_STANDING) return;
      standing = { refusal: refusalOf(error), since: clock.now(), isTold: false };
      this.#standing.set(key, standing);
    }
    if (standing.isTold || clock.now() - standing.since < graceMs) return;
    standing.isTold = true;
    onRefused(standing.refusal);
  }

  /** It was allowed just now. Only where it was refused before does that mean anything. */
  lift(verb: Verb, target: ApiTarget): void {
    if (this.#standing.size === 0) return;
    const key = this.#key(verb, target);
    const standing = this.#standing.get(key);
    if (standing === undefined || standing.refusal.namespace !== target.namespace) return;
    this.#standing.delete(key);
    if (standing.isTold) this.#options.onLifted(standing.refusal);
  }

  #key(verb: Verb, target: ApiTarget): string {
    const where = this.#options.isPerNamespace ? target.namespace : '';
    return [verb, target.group, resourceOf(target), where].join(' ');
  }
}
