/** Why an event does not fire for a Hook, asked of the rules themselves: the first of the things in its way. Pure but for what rules remember. */

import { type Hook, hookId } from '../config/hook.ts';
import { canonicalType } from '../match/hook-index.ts';
import { CompiledRules, MappingIndex } from '../match/rules.ts';
import { eventNames } from './event-names.ts';
import type { GivenRules, Judged } from './judge.ts';
import { type Obstacle, obstacleWords } from './obstacle.ts';
import type { EventRead } from './recording-line.ts';

export class WhyNot {
  readonly #rules: GivenRules;
  readonly #compiled: CompiledRules;
  readonly #mappings: MappingIndex;
  readonly #hooks: ReadonlyMap<string, Hook>;

  constructor(rules: GivenRules) {
    this.#rules = rules;
    this.#compiled = new CompiledRules({ ...rules, version: 1 });
    this.#mappings = new MappingIndex(rules.mappings);
    this.#hooks = new Map(rules.hooks.map((hook) => [hookId(hook), hook]));
  }

  /** For a Hook that this event does not fire for. `judged`: by the same rules. */
  say(event: EventRead, hookName: string, judged: Judged): string {
    return obstacleWords(this.find(event, hookName, judged));
  }

  /** The same, for whoever says more about it. */
  find(event: EventRead, hookName: string, judged: Judged): Obstacle {
    const { source, type } = event;
    if (judged.verdict === 'invalid') return { kind: 'invalid', causes: judged.causes };
    const mapping = this.#mappings.find(source, type);
    if (mapping === undefined) return { kind: 'unmapped', source, type };
    const { internalType } = mapping;
    if (!mapping.enabled) return { kind: 'mapping_disabled', source, type, internalType };
    const hook = this.#hooks.get(hookName);
    if (hook === undefined) return { kind: 'no_such_hook' };
    const wanted = [type, internalType].map(canonicalType);
    const listensTo = hook.eventConfigurations.map(({ eventType }) => eventType);
    if (!listensTo.some((eventType) => wanted.includes(canonicalType(eventType))))
      return { kind: 'type', listensTo, internalType };
    const { namespace } = eventNames(event);
    const matches = this.#compiled.type(source, type)?.matches(namespace) ?? [];
    if (!matches.some(({ candidate }) => candidate.hook === hookName)) return this.#namespace(hook, source, namespace);
    if (hook.suspend) return { kind: 'suspended' };
    if (hook.filter !== undefined)
      return { kind: 'filtered', filter: hook.filter, problem: filterProblem(hookName, judged.causes) };
    return { kind: 'none' };
  }

  #namespace(hook: Hook, source: string, namespace: string): Obstacle {
    const { controllerNamespace, pluginNamespaces } = this.#rules;
    if (namespace === '') {
      const scope = Object.hasOwn(pluginNamespaces, source) ? (pluginNamespaces[source] ?? []) : [];
      return { kind: 'scope', source, scope };
    }
    const named = hook.namespaces.length > 0 && hook.namespace === controllerNamespace ? hook.namespaces : [];
    return { kind: 'namespace', sees: [...new Set([hook.namespace, ...named])], namespace };
  }
}

function filterProblem(hook: string, causes: readonly string[]): string | null {
  for (const words of [`that of ${hook} failed: `, `Hook ${hook} did not match, because its filter failed: `]) {
    const cause = causes.find((text) => text.includes(words));
    if (cause !== undefined) return cause.slice(cause.indexOf(words) + words.length);
  }
  return null;
}
