/** What is in the way of an event and what would make it hit, in sentences. Pure. */

import { type Hook, hookId } from '../config/hook.ts';
import { nearestWord } from '../config/suggest.ts';
import { sightOf } from '../match/hook-index.ts';
import { suggestMapping } from '../match/mapping-suggestion.ts';
import { eventNames } from './event-names.ts';
import { filterSight } from './filter-sight.ts';
import type { GivenRules } from './judge.ts';
import { type Obstacle, obstacleWords, shortFilter } from './obstacle.ts';
import type { EventRead } from './recording-line.ts';
import { meantType, unknownTypes } from './type-fit.ts';

const MAX_SOURCES = 3;

export interface Remedy {
  readonly cause: string;
  /** What to do; empty: nothing. */
  readonly fix: string;
  /** Lines to take over as they are. */
  readonly paste?: string;
}

export interface RemedyScene {
  readonly event: EventRead;
  readonly hook: Hook;
  readonly rules: GivenRules;
}

export function remedy(obstacle: Obstacle, scene: RemedyScene): Remedy {
  const { event, hook, rules } = scene;
  switch (obstacle.kind) {
    case 'invalid':
      return invalidRemedy(obstacle.causes, event);
    case 'unmapped':
      return withSight(unmappedRemedy(event, rules), scene);
    case 'mapping_disabled':
      return withSight(disabledRemedy(obstacle), scene);
    case 'type':
      return withSight(typeRemedy(obstacle, scene), scene);
    case 'namespace':
      return namespaceRemedy(obstacle, hook, rules.controllerNamespace);
    case 'scope':
      return {
        cause: `the event has no namespace, and plugin ${obstacle.source} is for Hooks of ${obstacle.scope.join(', ')}; the Hook is in ${hook.namespace}`,
        fix: `add ${hook.namespace} to namespaces of plugin ${obstacle.source} in plugins.yaml`,
      };
    case 'suspended':
      return { cause: 'the Hook is suspended', fix: 'set spec.suspend: false' };
    case 'filtered':
      return filterRemedy(obstacle, scene);
    case 'no_such_hook':
    case 'none':
      return { cause: obstacleWords(obstacle), fix: '' };
  }
}

/** What comes before the namespace is mended in vain where the Hook would not see the event then. */
function withSight(told: Remedy, { event, hook, rules }: RemedyScene): Remedy {
  const { namespace } = eventNames(event);
  const sees = sightOf(hook, rules.controllerNamespace);
  if (namespace === '' || sees === 'all' || sees.includes(namespace)) return told;
  const { cause } = told;
  const join = cause.endsWith('?') ? ' And' : '; and';
  return {
    ...told,
    cause: `${cause}${join} the event was in namespace ${namespace}, the Hook sees ${sees.join(', ')}`,
  };
}

export function invalidRemedy(causes: readonly string[], { source, type }: EventRead): Remedy {
  const isUndeclared = causes.some((cause) => cause.includes('is not declared in the manifest'));
  return {
    cause: `the event is invalid: ${causes.join('; ')}`,
    fix: isUndeclared
      ? `add ${type} to eventTypes in the manifest of plugin ${source}`
      : `mend what ${source} sends; until then no Hook can see it`,
  };
}

export function unmappedRemedy({ source, type }: EventRead, { mappings }: Pick<GivenRules, 'mappings'>): Remedy {
  const ofSource = mappings.filter(({ eventSource }) => eventSource === source).map(({ eventType }) => eventType);
  const elsewhere = mappings.filter(({ eventType }) => eventType === type).map(({ eventSource }) => eventSource);
  const near = nearestWord(type, ofSource);
  const others = [
    ...(near === null ? [] : [`${source}:${near}`]),
    ...elsewhere.slice(0, MAX_SOURCES).map((other) => `${other}:${type}`),
  ];
  const cause = `no mapping knows ${source}:${type}${others.length === 0 ? '' : `; there is one for ${others.join(', ')}`}`;
  return { cause, fix: 'add to event-mappings.yaml', paste: suggestMapping(source, type) };
}

export function disabledRemedy({ source, type }: { readonly source: string; readonly type: string }): Remedy {
  return {
    cause: `the mapping of ${source}:${type} is switched off`,
    fix: `set enabled: true at eventSource ${source}, eventType ${type} in event-mappings.yaml`,
  };
}

function typeRemedy(
  { listensTo, internalType }: Obstacle & { readonly kind: 'type' },
  { event: { type }, rules }: RemedyScene,
): Remedy {
  const names = internalType === type ? [type] : [type, internalType];
  const meant = unknownTypes(listensTo, rules.mappings).flatMap((eventType) => {
    const name = meantType(eventType, names);
    return name === null ? [] : [{ eventType, name }];
  })[0];
  const cause = `it listens to ${listensTo.join(', ')}, not to ${internalType}`;
  if (meant === undefined) return { cause, fix: `add a configuration with eventType: ${internalType}` };
  const { eventType, name } = meant;
  return { cause: `${cause}; did you mean ${name}?`, fix: `write eventType: ${name} in place of ${eventType}` };
}

function namespaceRemedy(
  { sees, namespace }: Obstacle & { readonly kind: 'namespace' },
  hook: Hook,
  controllerNamespace: string,
): Remedy {
  const cause = `the event was in namespace ${namespace}, the Hook sees ${sees.join(', ')}`;
  if (hook.namespace === controllerNamespace) return { cause, fix: `add ${namespace} to spec.namespaces` };
  // One that is there already cannot name itself.
  if (namespace === controllerNamespace) return { cause, fix: `move the Hook to namespace ${namespace}` };
  const isVain = hook.namespaces.length > 0;
  return {
    cause: isVain
      ? `${cause}: its spec.namespaces has no effect, because it is not in khook's own namespace ${controllerNamespace}`
      : cause,
    fix: `move the Hook to namespace ${namespace}, or to ${controllerNamespace} with ${namespace} in spec.namespaces`,
  };
}

function filterRemedy(
  { filter, problem }: Obstacle & { readonly kind: 'filtered' },
  { event, hook, rules }: RemedyScene,
): Remedy {
  const { source, type } = event;
  const mapping = rules.mappings.find(({ eventSource, eventType }) => eventSource === source && eventType === type);
  const sight = filterSight(filter, event, mapping);
  const saw = sight.length === 0 ? '' : `; ${sight.join(', ')}`;
  if (problem !== null)
    return { cause: `its filter \`${shortFilter(filter)}\` failed: ${problem}${saw}`, fix: 'mend spec.filter' };
  return {
    cause: `its filter \`${shortFilter(filter)}\` said no${saw}`,
    fix: `change spec.filter of ${hookId(hook)} if this is to pass; khook replay tries it on recorded events`,
  };
}
