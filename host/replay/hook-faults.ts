/** What keeps a Hook from firing whatever happens: seen in the Hook, the mappings and the plugins alone, without any event. Pure. */

import type { Hook } from '../config/hook.ts';
import type { Mapping } from '../config/mapping.ts';
import { nearestWord } from '../config/suggest.ts';
import { compileFilter } from '../match/filter.ts';
import { canonicalType } from '../match/hook-index.ts';
import { suggestMapping } from '../match/mapping-suggestion.ts';
import type { GivenRules } from './judge.ts';
import { shortFilter } from './obstacle.ts';
import { disabledRemedy, type Remedy } from './remedy.ts';
import { meantType, namesOf } from './type-fit.ts';

/** Plugins that are meant to run. */
export type RunningPlugins = Readonly<
  Record<string, { readonly eventTypes: readonly string[]; readonly namespaces: readonly string[] | null }>
>;

export interface HookFault extends Remedy {
  /** `source`: the plugin of its events does not run, or does not send them. */
  readonly kind: 'suspended' | 'type' | 'source' | 'filter' | 'namespace';
  /** Of `source`. */
  readonly plugin?: string;
}

const MAX_NAMED = 8;

export function hookFaults(hook: Hook, rules: GivenRules, plugins: RunningPlugins): HookFault[] {
  const types = new Set(hook.eventConfigurations.map(({ eventType }) => eventType));
  return [
    ...(hook.suspend
      ? [{ kind: 'suspended' as const, cause: 'the Hook is suspended', fix: 'set spec.suspend: false' }]
      : []),
    ...[...types].flatMap((eventType) => typeFaults(eventType, rules.mappings, plugins)),
    ...filterFaults(hook),
    ...namespaceFaults(hook, rules.controllerNamespace),
  ];
}

function typeFaults(eventType: string, mappings: readonly Mapping[], plugins: RunningPlugins): HookFault[] {
  const isMeant = (name: string): boolean => canonicalType(name) === canonicalType(eventType);
  const known = mappings.filter((mapping) => namesOf(mapping).some(isMeant));
  if (known.length === 0) return [{ kind: 'type', ...unknownType(eventType, mappings, plugins) }];
  const enabled = known.filter((mapping) => mapping.enabled);
  if (enabled.length === 0) return known.map((mapping) => switchedOff(eventType, mapping));
  const faults = enabled.map((mapping) => sourceFault(eventType, mapping, plugins));
  // One source that can send it is enough.
  if (faults.some((fault) => fault === null)) return [];
  const waiting = known.filter((mapping) => !mapping.enabled && sourceFault(eventType, mapping, plugins) === null);
  return [...waiting.map((mapping) => switchedOff(eventType, mapping)), ...faults.flatMap((fault) => fault ?? [])];
}

function switchedOff(eventType: string, { eventSource: source, eventType: type }: Mapping): HookFault {
  const { cause, fix } = disabledRemedy({ source, type });
  return { kind: 'type', cause: `eventType: ${eventType}: ${cause}`, fix };
}

function unknownType(eventType: string, mappings: readonly Mapping[], plugins: RunningPlugins): Remedy {
  const declaring = Object.entries(plugins).find(([, { eventTypes }]) =>
    eventTypes.some((type) => canonicalType(type) === canonicalType(eventType)),
  );
  const cause = `eventType: ${eventType} matches no mapping`;
  if (declaring !== undefined) {
    const [source, { eventTypes }] = declaring;
    const type = eventTypes.find((each) => canonicalType(each) === canonicalType(eventType)) ?? eventType;
    return unmappedType(cause, { source, type, eventTypes, mappings });
  }
  const meant = meantType(eventType, [...new Set(mappings.flatMap(namesOf))]);
  if (meant !== null)
    return { cause: `${cause}; did you mean ${meant}?`, fix: `write eventType: ${meant} in place of ${eventType}` };
  const known = [...new Set(mappings.map(({ internalType }) => internalType))].slice(0, MAX_NAMED).join(', ');
  return { cause, fix: `name one that event-mappings.yaml knows (${known || 'none'}), or add a mapping for it` };
}

/** A plugin sends the type, and no mapping has it: maybe one was meant to. */
function unmappedType(
  cause: string,
  {
    source,
    type,
    eventTypes,
    mappings,
  }: { source: string; type: string; eventTypes: readonly string[]; mappings: readonly Mapping[] },
): Remedy {
  const astray = mappings.filter(
    (mapping) => mapping.eventSource === source && !eventTypes.includes(mapping.eventType),
  );
  const slip = meantType(
    type,
    astray.map((mapping) => mapping.eventType),
  );
  if (slip !== null)
    return {
      cause: `${cause}: plugin ${source} sends ${type}, and the mapping says ${slip}`,
      fix: `write eventType: ${type} in place of ${slip} in event-mappings.yaml`,
    };
  return {
    cause: `${cause}, though plugin ${source} sends ${type}`,
    fix: 'add to event-mappings.yaml',
    paste: suggestMapping(source, type),
  };
}

/** null: its events can come. */
function sourceFault(
  eventType: string,
  { eventSource, eventType: type }: Mapping,
  plugins: RunningPlugins,
): HookFault | null {
  const about = { kind: 'source', plugin: eventSource } as const;
  const plugin = Object.hasOwn(plugins, eventSource) ? plugins[eventSource] : undefined;
  if (plugin === undefined) {
    const sending = Object.keys(plugins).filter((name) => plugins[name]?.eventTypes.includes(type));
    const meant = nearestWord(eventSource, sending);
    const cause = `eventType: ${eventType}: its events come from plugin ${eventSource}, which is not running`;
    if (meant === null)
      return {
        ...about,
        cause,
        fix: `enable ${eventSource} in plugins.yaml, or put its bundle into the plugins folder; khook plugin list shows which there are`,
      };
    return {
      ...about,
      cause: `${cause}; did you mean ${meant}?`,
      fix: `write eventSource: ${meant} in place of ${eventSource} in event-mappings.yaml`,
    };
  }
  if (plugin.eventTypes.includes(type)) return null;
  return {
    ...about,
    cause: `eventType: ${eventType}: plugin ${eventSource} does not declare ${type} in its manifest`,
    fix: `its manifest declares ${plugin.eventTypes.join(', ') || 'no type'}; map one of these, or add ${type} there`,
  };
}

function filterFaults({ filter }: Hook): HookFault[] {
  const problem = filter === undefined ? null : compileFilter(filter).problem;
  if (filter === undefined || problem === null) return [];
  return [
    {
      kind: 'filter',
      cause: `its filter \`${shortFilter(filter)}\` cannot be used: ${problem}`,
      fix: 'mend spec.filter',
    },
  ];
}

function namespaceFaults({ namespace, namespaces }: Hook, controllerNamespace: string): HookFault[] {
  if (namespaces.length === 0 || namespace === controllerNamespace) return [];
  return [
    {
      kind: 'namespace',
      cause: `spec.namespaces has no effect, because the Hook is not in khook's own namespace ${controllerNamespace}`,
      fix: `move the Hook to namespace ${controllerNamespace}`,
    },
  ];
}
