/** What events are judged by: plain data that crosses to the pool threads once per version, and its compiled form there. */

import type { Hook } from '../config/hook.ts';
import type { Mapping } from '../config/mapping.ts';
import { type HookCandidate, HookIndex } from './hook-index.ts';

export interface Rules {
  /** Grows with every change; the host counts. */
  readonly version: number;
  readonly mappings: readonly Mapping[];
  readonly hooks: readonly Hook[];
  /** The namespace whose Hooks may name others in `namespaces`. */
  readonly controllerNamespace: string;
  /** By plugin: the namespaces whose Hooks see its events that carry none; null or absent = all. */
  readonly pluginNamespaces: Readonly<Record<string, readonly string[] | null>>;
  /** Characters of a rendered prompt. */
  readonly maxPromptLength: number;
}

/** Mappings by source and type. Of two for the same pair the later one counts. */
export class MappingIndex {
  readonly #byKey = new Map<string, Mapping>();

  constructor(mappings: readonly Mapping[]) {
    for (const mapping of mappings) this.#byKey.set(`${mapping.eventSource}\0${mapping.eventType}`, mapping);
  }

  find(source: string, type: string): Mapping | undefined {
    return this.#byKey.get(`${source}\0${type}`);
  }
}

/** A Hook configuration that an event of a certain source and type meets. */
export interface Match {
  readonly candidate: HookCandidate;
  /** The dedup key up to the namespace, and behind the resource name. */
  readonly keyHead: string;
  readonly keyTail: string;
}

/** Everything that is the same for all events of one source and type. */
export interface TypeRules {
  readonly mapping: Mapping;
  /** Who sees an event of that namespace (empty: none). The cost does not grow with the number of Hooks. */
  matches(namespace: string): readonly Match[];
}

/** The compiled form. Owned by one thread; immutable but for what it remembers to be fast. */
export class CompiledRules {
  readonly version: number;
  readonly maxPromptLength: number;
  readonly #rules: Rules;
  readonly #mappings: MappingIndex;
  readonly #hooks: HookIndex;
  readonly #types = new Map<Mapping, TypeRules>();

  constructor(rules: Rules) {
    this.version = rules.version;
    this.maxPromptLength = rules.maxPromptLength;
    this.#rules = rules;
    this.#mappings = new MappingIndex(rules.mappings);
    this.#hooks = new HookIndex(rules.hooks, rules.controllerNamespace);
  }

  /** Undefined when no enabled mapping knows the type. */
  type(source: string, type: string): TypeRules | undefined {
    const mapping = this.#mappings.find(source, type);
    if (mapping === undefined || !mapping.enabled) return undefined;
    let rules = this.#types.get(mapping);
    if (rules === undefined) {
      rules = this.#compile(mapping);
      this.#types.set(mapping, rules);
    }
    return rules;
  }

  #compile(mapping: Mapping): TypeRules {
    const audience = this.#hooks.audience([mapping.eventType, mapping.internalType]);
    const { pluginNamespaces } = this.#rules;
    const source = mapping.eventSource;
    const scope = Object.hasOwn(pluginNamespaces, source) ? (pluginNamespaces[source] ?? null) : null;
    // Bounded: an entry exists only for a namespace that a Hook names, and for the two special ones.
    const known = new Map<string, readonly Match[]>();
    const matchesOf = (candidates: readonly HookCandidate[]): readonly Match[] => matchesFor(candidates, mapping);
    const elsewhere = matchesOf(audience.elsewhere());
    return {
      mapping,
      matches(namespace) {
        if (namespace !== '' && !audience.names(namespace)) return elsewhere;
        let matches = known.get(namespace);
        if (matches === undefined) {
          matches = matchesOf(namespace === '' ? audience.inScope(scope) : audience.inNamespace(namespace));
          known.set(namespace, matches);
        }
        return matches;
      },
    };
  }
}

/**
 * The key is the JSON of [hook, source, internalType, namespace, resourceName]. A second configuration of the same Hook for the
 * same event adds its place, or it would count as a duplicate of the first.
 */
function matchesFor(candidates: readonly HookCandidate[], mapping: Mapping): Match[] {
  const seen = new Map<string, number>();
  return candidates.map((candidate) => {
    const place = seen.get(candidate.hook) ?? 0;
    seen.set(candidate.hook, place + 1);
    const head = JSON.stringify([candidate.hook, mapping.eventSource, mapping.internalType]);
    return { candidate, keyHead: `${head.slice(0, -1)},`, keyTail: place === 0 ? ']' : `,${place}]` };
  });
}

export function dedupKey(match: Match, namespace: string, resourceName: string): string {
  return `${match.keyHead}${JSON.stringify(namespace)},${JSON.stringify(resourceName)}${match.keyTail}`;
}
