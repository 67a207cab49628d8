/** Hooks by event type and namespace, so that ten thousand of them cost an event no more than ten. */

import { type AgentRef, type GroupBy, type Hook, hookId } from '../config/hook.ts';
import { compileFilter, type Filter } from './filter.ts';
import { compilePrompt, type Prompt } from './prompt.ts';

/** One configuration of one Hook. */
export interface HookCandidate {
  readonly hook: string;
  readonly namespace: string;
  readonly configuration: number;
  /** As the Hook names it. */
  readonly eventType: string;
  readonly agent: AgentRef;
  readonly isSuspended: boolean;
  /** Compiled when it is first needed: most prompts of ten thousand Hooks are not. */
  readonly prompt: () => Prompt;
  /** Null: every event passes. Compiled when it is first needed, and once for all Hooks that have the same. */
  readonly filter: (() => Filter) | null;
  readonly isFenced: boolean;
  readonly groupBy: GroupBy;
  /** What a firing carries of the Hook for dispatch. */
  readonly limits: Pick<Hook, 'timeoutMs' | 'callsPerHour'>;
  /** Place among all configurations: the order in which firings are told. */
  readonly order: number;
}

/** Who listens to one event type. */
export interface Audience {
  /** Some Hook names this namespace. */
  names(namespace: string): boolean;
  inNamespace(namespace: string): readonly HookCandidate[];
  /** For a namespace that nobody names: Hooks that see all of them. */
  elsewhere(): readonly HookCandidate[];
  /** For events without a namespace: Hooks that live in one of these; null = all. */
  inScope(scope: readonly string[] | null): readonly HookCandidate[];
}

interface Listeners {
  readonly all: HookCandidate[];
  /** By the Hook's own namespace. */
  readonly byHome: Map<string, HookCandidate[]>;
  /** By a namespace whose events they see, their own among them. */
  readonly bySight: Map<string, HookCandidate[]>;
  readonly everywhere: HookCandidate[];
}

/** `PodRestart` and `pod-restart` are the same type in two spellings. */
export function canonicalType(eventType: string): string {
  if (!/^[A-Z][A-Za-z0-9]*$/.test(eventType)) return eventType;
  return eventType
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}

export class HookIndex {
  readonly #byType = new Map<string, Listeners>();
  readonly #filters = new Map<string, Filter>();

  constructor(hooks: readonly Hook[], controllerNamespace: string) {
    let order = 0;
    for (const hook of hooks) {
      const sees = sightOf(hook, controllerNamespace);
      const { filter, fence = true, groupBy = 'resource', timeoutMs, callsPerHour } = hook;
      const shared = {
        filter: filter === undefined ? null : () => this.#filter(filter),
        isFenced: fence,
        groupBy,
        limits: { ...(timeoutMs !== undefined && { timeoutMs }), ...(callsPerHour !== undefined && { callsPerHour }) },
      };
      hook.eventConfigurations.forEach((configuration, position) => {
        let prompt: Prompt | null = null;
        const candidate: HookCandidate = {
          hook: hookId(hook),
          namespace: hook.namespace,
          configuration: position,
          eventType: configuration.eventType,
          agent: configuration.agent,
          isSuspended: hook.suspend,
          ...shared,
          prompt: () => {
            prompt ??= compilePrompt(configuration.prompt);
            return prompt;
          },
          order,
        };
        order += 1;
        this.#add(candidate, sees);
      });
    }
  }

  /** Those who listen to an event type under any of its names; each of them once. */
  audience(types: readonly string[]): Audience {
    const names = new Set(types.map(canonicalType));
    const listeners = [...names].flatMap((name) => this.#byType.get(name) ?? []);
    const gather = (pick: (each: Listeners) => readonly HookCandidate[]): readonly HookCandidate[] =>
      [...new Set(listeners.flatMap(pick))].sort((a, b) => a.order - b.order);
    return {
      names: (namespace) => listeners.some((each) => each.bySight.has(namespace)),
      inNamespace: (namespace) => gather((each) => [...(each.bySight.get(namespace) ?? []), ...each.everywhere]),
      elsewhere: () => gather((each) => each.everywhere),
      inScope: (scope) =>
        gather((each) => (scope === null ? each.all : scope.flatMap((namespace) => each.byHome.get(namespace) ?? []))),
    };
  }

  #filter(source: string): Filter {
    let filter = this.#filters.get(source);
    if (filter === undefined) {
      filter = compileFilter(source);
      this.#filters.set(source, filter);
    }
    return filter;
  }

  #add(candidate: HookCandidate, sees: readonly string[] | 'all'): void {
    const type = canonicalType(candidate.eventType);
    let listeners = this.#byType.get(type);
    if (listeners === undefined) {
      listeners = { all: [], byHome: new Map(), bySight: new Map(), everywhere: [] };
      this.#byType.set(type, listeners);
    }
    listeners.all.push(candidate);
    append(listeners.byHome, candidate.namespace, candidate);
    if (sees === 'all') listeners.everywhere.push(candidate);
    else for (const namespace of sees) append(listeners.bySight, namespace, candidate);
  }
}

/** The namespaces whose events a Hook sees. Only a Hook of the controller's namespace may see others than its own. */
export function sightOf(hook: Hook, controllerNamespace: string): readonly string[] | 'all' {
  if (hook.namespace !== controllerNamespace) return [hook.namespace];
  if (hook.namespaces.includes('*')) return 'all';
  return [...new Set([hook.namespace, ...hook.namespaces])];
}

function append(map: Map<string, HookCandidate[]>, key: string, candidate: HookCandidate): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [candidate]);
  else list.push(candidate);
}
