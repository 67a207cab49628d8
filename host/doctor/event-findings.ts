/** What became of the last events that nobody would want: invalid, unmapped, unseen, kept back, dropped. One finding for each cause. Pure. */

import { type Hook, hookId } from '../config/hook.ts';
import type { EventSnapshot } from '../http/view.ts';
import { canonicalType, sightOf } from '../match/hook-index.ts';
import { suggestMapping } from '../match/mapping-suggestion.ts';
import type { Evidence } from './evidence.ts';
import { type Finding, note, problem, warning } from './finding.ts';
import { hookIn, unmended } from './mended-events.ts';
import { counted, span } from './words.ts';

/** What happened before is history. */
const RECENT_MS = 60 * 60_000;
const MAX_NAMED = 3;

type Group = readonly [EventSnapshot, ...EventSnapshot[]];

export function eventFindings(evidence: Evidence): Finding[] {
  const recent = unmended(
    evidence.events.filter(({ receivedAt }) => evidence.at - Date.parse(receivedAt) <= RECENT_MS),
    evidence,
  );
  const of = (outcome: string): EventSnapshot[] => recent.filter((event) => event.outcome === outcome);
  const typed = ({ plugin, type }: EventSnapshot): string => `${plugin}:${type}`;
  const thing = (event: EventSnapshot): string => `${typed(event)} ${event.namespace}/${event.resourceName}`;
  return [
    ...grouped(of('invalid'), (event) => `${event.plugin} ${lastDetail(event)}`).map(invalid),
    ...grouped(of('unmapped'), typed).map(unmapped),
    ...grouped(of('mapping_disabled'), typed).map(disabled),
    ...grouped(of('dropped'), (event) => `${event.plugin} ${lastDetail(event)}`).map(dropped),
    ...namespaceFindings(of('unmatched'), evidence),
    ...filterFindings(of('filtered'), evidence),
    ...grouped(of('duplicate'), thing).slice(0, MAX_NAMED).map(duplicate),
  ];
}

function invalid(events: Group): Finding {
  const [{ plugin }] = events;
  return problem({
    code: 'EVENT_INVALID',
    subject: `plugin ${plugin}`,
    problem: `Plugin ${plugin} sent ${counted(events.length, 'event')} that ${events.length === 1 ? 'is' : 'are'} not valid.`,
    evidence: [lastDetail(events[0]), ...ids(events)],
    cause: 'No Hook can see such an event.',
    fix: 'Mend what the plugin sends; if its type is not declared, add it to eventTypes of its manifest.',
    paste: explain(events),
  });
}

function unmapped(events: Group): Finding {
  const [{ plugin, type }] = events;
  return problem({
    code: 'MAPPING_MISSING',
    subject: `mapping ${plugin}:${type}`,
    problem: `${counted(events.length, 'event')} of ${plugin}:${type} came, and no mapping knows that type.`,
    evidence: ids(events),
    fix: 'Add to event-mappings.yaml:',
    paste: suggestMapping(plugin, type),
  });
}

function disabled(events: Group): Finding {
  const [{ plugin, type }] = events;
  return warning({
    code: 'MAPPING_DISABLED',
    subject: `mapping ${plugin}:${type}`,
    problem: `${counted(events.length, 'event')} of ${plugin}:${type} came, and its mapping is switched off.`,
    evidence: ids(events),
    fix: `If they are wanted, set enabled: true at eventSource ${plugin}, eventType ${type} in event-mappings.yaml.`,
  });
}

function dropped(events: Group): Finding {
  const [{ plugin }] = events;
  const detail = lastDetail(events[0]);
  const isLimit = /rate/.test(detail);
  return warning({
    code: 'EVENT_DROPPED',
    subject: `plugin ${plugin}`,
    problem: `${counted(events.length, 'event')} of plugin ${plugin} ${events.length === 1 ? 'was' : 'were'} dropped.`,
    evidence: [detail, ...ids(events)],
    fix: isLimit
      ? `Let the plugin send less, or raise its rateLimit in plugins.yaml.`
      : 'The evidence says for want of what; raise that, or slow the source.',
    paste: explain(events),
  });
}

/** Events that some Hook listens to, and does not see. */
function namespaceFindings(events: readonly EventSnapshot[], { rules }: Evidence): Finding[] {
  const pairs = new Map<string, { readonly hook: Hook; readonly events: EventSnapshot[] }>();
  for (const event of events) {
    const names = [event.type, event.internalType].map(canonicalType);
    for (const hook of rules.hooks) {
      if (!isBlind(hook, event, rules)) continue;
      if (!hook.eventConfigurations.some(({ eventType }) => names.includes(canonicalType(eventType)))) continue;
      const key = `${hookId(hook)} ${event.namespace === '' ? event.plugin : event.namespace}`;
      const pair = pairs.get(key) ?? { hook, events: [] };
      pair.events.push(event);
      pairs.set(key, pair);
    }
  }
  return [...pairs.values()].flatMap(({ hook, events: [first, ...rest] }) => {
    if (first === undefined) return [];
    const { namespace } = first;
    if (namespace === '') return outOfScope(hook, [first, ...rest]);
    return warning({
      code: 'HOOK_NAMESPACE',
      subject: `Hook ${hookId(hook)}`,
      problem: `${counted(rest.length + 1, 'event')} that Hook ${hookId(hook)} listens to came from namespace ${namespace}, which it does not see.`,
      evidence: ids([first, ...rest]),
      cause:
        'A Hook sees the events of its own namespace, unless it is in that of khook and names others in spec.namespaces.',
      fix: seeing(hook, namespace, rules.controllerNamespace),
    });
  });
}

function isBlind(hook: Hook, { namespace, plugin }: EventSnapshot, rules: Evidence['rules']): boolean {
  if (namespace !== '') {
    const sees = sightOf(hook, rules.controllerNamespace);
    return sees !== 'all' && !sees.includes(namespace);
  }
  const scope = Object.hasOwn(rules.pluginNamespaces, plugin) ? rules.pluginNamespaces[plugin] : null;
  return Array.isArray(scope) && !scope.includes(hook.namespace);
}

/** Of events that carry no namespace: their plugin says whose Hooks may see them. */
function outOfScope(hook: Hook, events: Group): Finding {
  const [{ plugin }] = events;
  return warning({
    code: 'HOOK_NAMESPACE',
    subject: `Hook ${hookId(hook)}`,
    problem: `${counted(events.length, 'event')} that Hook ${hookId(hook)} listens to came from plugin ${plugin}, whose events are not for namespace ${hook.namespace}.`,
    evidence: ids(events),
    cause: 'Events that carry no namespace are seen by Hooks of the namespaces that the plugin names in plugins.yaml.',
    fix: `Add ${hook.namespace} to namespaces of plugin ${plugin} in plugins.yaml.`,
    paste: explain(events),
  });
}

/** What would let the Hook see events of this namespace. */
function seeing(hook: Hook, namespace: string, controllerNamespace: string): string {
  if (hook.namespace === controllerNamespace) return `Add ${namespace} to spec.namespaces of the Hook.`;
  if (namespace === controllerNamespace) return `Move the Hook to namespace ${namespace}.`;
  return `Move the Hook to namespace ${namespace}, or to ${controllerNamespace} with ${namespace} in spec.namespaces.`;
}

function filterFindings(events: readonly EventSnapshot[], { lastFired, rules }: Evidence): Finding[] {
  const failing = events.filter((event) => /failed/.test(lastDetail(event)));
  const calm = events.filter((event) => !failing.includes(event));
  return [
    ...grouped(failing, lastDetail).map((group) =>
      problem({
        code: 'HOOK_FILTER',
        subject: 'Hook filter',
        problem: `${filterOf(group)} failed on ${counted(group.length, 'event')}.`,
        evidence: [lastDetail(group[0]), ...placeOf(group, rules.hooks), ...ids(group)],
        fix: 'Mend spec.filter of the Hook; khook replay tries it on recorded events.',
        paste: explain(group),
      }),
    ),
    ...(lastFired.size > 0 ? [] : grouped(calm, lastDetail)).map((group) =>
      warning({
        code: 'HOOK_FILTER',
        subject: 'Hook filter',
        problem: `Filters kept back ${counted(group.length, 'event')}, and no Hook has fired yet.`,
        evidence: [lastDetail(group[0]), ...ids(group)],
        fix: 'If these should pass, change spec.filter; khook replay tries it on recorded events.',
        paste: explain(group),
      }),
    ),
  ];
}

function filterOf(group: Group): string {
  const hook = hookIn(group[0]);
  return hook === '' ? 'A filter' : `The filter of Hook ${hook}`;
}

function placeOf(group: Group, hooks: readonly Hook[]): string[] {
  const origin = hooks.find((hook) => hookId(hook) === hookIn(group[0]))?.origin ?? '';
  return origin === '' ? [] : [`it stands in ${origin}`];
}

function duplicate(events: Group): Finding {
  const [{ resourceName, plugin, type }] = events;
  return note({
    code: 'DEDUP',
    subject: `${plugin}:${type} ${resourceName}`,
    problem: `${counted(events.length, 'event')} about ${resourceName} repeated what had fired, and fired nothing.`,
    evidence: [lastDetail(events[0]), ...ids(events)],
    cause: 'The same event about the same thing fires a Hook once per window.',
    fix: 'Nothing, if that is wanted; settings.dedup.window is the window, groupBy of the Hook says what counts as the same.',
    paste: explain(events),
  });
}

/** Hooks over their budget. */
export function budgetFindings({ held, at }: Evidence): Finding[] {
  return held.map(({ hook, callsPerHour, until }) =>
    note({
      code: 'BUDGET',
      subject: `Hook ${hook}`,
      problem: `Hook ${hook} has used up its ${callsPerHour} calls of this hour; what fires waits, and goes out with one digest in ${span(until - at)}.`,
      fix: 'Raise spec.callsPerHour if that is too few.',
    }),
  );
}

/** What never became an event. */
export function refusedFindings({ refused }: Evidence): Finding[] {
  return refused.map(({ plugin, events, code, message }) =>
    problem({
      code: 'EVENT_INVALID',
      subject: `plugin ${plugin}`,
      problem: `Plugin ${plugin} tried to send ${counted(events, 'event')}, which ${events === 1 ? 'was' : 'were'} refused.`,
      evidence: [`${code}: ${message}`],
      cause: 'It is refused in the thread of the plugin, which is told so: nothing of it is counted or kept.',
      fix: 'Mend what the plugin sends; the evidence says what is wrong with the last one.',
    }),
  );
}

/** Plugins over their rate limit. */
export function rateFindings({ throttled, at }: Evidence): Finding[] {
  return throttled.map(({ plugin, until }) =>
    note({
      code: 'RATE_LIMIT',
      subject: `plugin ${plugin}`,
      problem: `Events of plugin ${plugin} wait for its rate limit, the next of them for ${span(until - at)} more.`,
      cause: 'It sends more than its rateLimit lets through, and is made to wait.',
      fix: `Let the plugin send less, or raise rateLimit.eventsPerSecond of ${plugin} in plugins.yaml.`,
    }),
  );
}

function grouped(events: readonly EventSnapshot[], key: (event: EventSnapshot) => string): Group[] {
  return [...Map.groupBy(events, key).values()].flatMap(([first, ...rest]) =>
    first === undefined ? [] : [[first, ...rest]],
  );
}

function lastDetail({ trail }: EventSnapshot): string {
  return trail.at(-1)?.detail ?? '';
}

function ids(events: readonly EventSnapshot[]): string[] {
  const named = events
    .slice(0, MAX_NAMED)
    .map(({ id, resourceName, receivedAt }) => `${receivedAt} ${id} ${resourceName}`);
  return named.reverse();
}

function explain([{ id }]: Group): string {
  return `khook explain ${id}`;
}
