/** Why an event does not fire for a Hook, asked of the rules themselves: the first of the things in its way. Pure but for what rules remember. */

import { type Hook, hookId } from '../config/hook.ts';
import { canonicalType } from '../match/hook-index.ts';
import { CompiledRules, MappingIndex } from '../match/rules.ts';
import { eventNames } from './event-names.ts';
import type { GivenRules, Judged } from './judge.ts';
import type { EventRead } from './recording-line.ts';

const MAX_FILTER = 160;

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
    const { source, type } = event;
    if (judged.verdict === 'invalid') return `invalid: ${judged.causes.join('; ')}`;
    const mapping = this.#mappings.find(source, type);
    if (mapping === undefined) return `unmapped: no mapping knows ${source}:${type}`;
    if (!mapping.enabled) return `mapping_disabled: the mapping of ${source}:${type} is switched off`;
    const hook = this.#hooks.get(hookName);
    if (hook === undefined) return 'there is no such Hook';
    const wanted = [type, mapping.internalType].map(canonicalType);
    const listensTo = hook.eventConfigurations.map(({ eventType }) => eventType);
    if (!listensTo.some((eventType) => wanted.includes(canonicalType(eventType))))
      return `type: it listens to ${listensTo.join(', ')}, not to ${mapping.internalType}`;
    const { namespace } = eventNames(event);
    const matches = this.#compiled.type(source, type)?.matches(namespace) ?? [];
    if (!matches.some(({ candidate }) => candidate.hook === hookName)) return this.#namespace(hook, source, namespace);
    if (hook.suspend) return 'suspended';
    if (hook.filter !== undefined) return filterWords(hook.filter, hookName, judged.causes);
    // It has fewer configurations for such an event than it had.
    return 'it fires for this event, but not as often';
  }

  #namespace(hook: Hook, source: string, namespace: string): string {
    const { controllerNamespace, pluginNamespaces } = this.#rules;
    if (namespace === '') {
      const scope = Object.hasOwn(pluginNamespaces, source) ? (pluginNamespaces[source] ?? []) : [];
      return `namespace: the event has none, and plugin ${source} is for Hooks of ${scope.join(', ')}`;
    }
    const named = hook.namespaces.length > 0 && hook.namespace === controllerNamespace ? hook.namespaces : [];
    const sees = [...new Set([hook.namespace, ...named])].join(', ');
    return `namespace: it sees events of ${sees}, not of ${namespace}`;
  }
}

function filterWords(filter: string, hook: string, causes: readonly string[]): string {
  for (const words of [`that of ${hook} failed: `, `Hook ${hook} did not match, because its filter failed: `]) {
    const cause = causes.find((text) => text.includes(words));
    if (cause !== undefined) return `filtered: its filter failed: ${cause.slice(cause.indexOf(words) + words.length)}`;
  }
  const text = filter.replace(/\s+/g, ' ').trim();
  return `filtered: its filter is ${text.length > MAX_FILTER ? `${text.slice(0, MAX_FILTER)}…` : text}`;
}
