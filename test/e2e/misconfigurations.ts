import type { Spec } from './explain-support.ts';

/** Each a Hook or a mapping that is wrong in one way; what comes for it, and the cause and the cure that are told first. */
export interface Misconfiguration {
  readonly what: string;
  readonly hook: Spec;
  readonly event?: Record<string, unknown>;
  readonly asked?: string;
  readonly cause: string;
  readonly fix: string;
}

export const MISCONFIGURATIONS: readonly Misconfiguration[] = [
  {
    what: 'an event type in the plural',
    hook: { eventType: 'pod-restarts' },
    cause: 'eventType: pod-restarts matches no mapping; did you mean pod-restart?',
    fix: 'write eventType: pod-restart in place of pod-restarts',
  },
  {
    what: 'an event type with two letters swapped',
    hook: { eventType: 'PodRestrat' },
    cause: 'eventType: PodRestrat matches no mapping; did you mean PodRestart?',
    fix: 'write eventType: PodRestart in place of PodRestrat',
  },
  {
    what: 'an event type in small letters',
    hook: { eventType: 'podrestart' },
    cause: 'eventType: podrestart matches no mapping; did you mean PodRestart?',
    fix: 'write eventType: PodRestart in place of podrestart',
  },
  {
    what: 'an event type with an underscore',
    hook: { eventType: 'pod_pending' },
    cause: 'eventType: pod_pending matches no mapping; did you mean pod-pending?',
    fix: 'write eventType: pod-pending in place of pod_pending',
  },
  {
    what: 'an event type that nobody knows',
    hook: { eventType: 'VolcanoErupted' },
    cause: 'eventType: VolcanoErupted matches no mapping',
    fix: 'name one that event-mappings.yaml knows (Happened, PodRestart, PodPending, SwitchedOff, NodeGone, QuotaHit, Undeclared, Asleep), or add a mapping for it',
  },
  {
    what: 'a type that its plugin sends and no mapping knows',
    hook: { eventType: 'not-mapped' },
    event: { type: 'not-mapped' },
    cause: 'eventType: not-mapped matches no mapping, though plugin puppet sends not-mapped',
    fix: 'add to event-mappings.yaml',
  },
  {
    what: 'a mapping with a slip in its type',
    hook: { eventType: 'node-down' },
    event: { type: 'node-down' },
    cause: 'eventType: node-down matches no mapping: plugin puppet sends node-down, and the mapping says node-dwon',
    fix: 'write eventType: node-down in place of node-dwon in event-mappings.yaml',
  },
  {
    what: 'a mapping with a slip in its source',
    hook: { eventType: 'QuotaHit' },
    event: { type: 'quota-hit' },
    cause: 'eventType: QuotaHit: its events come from plugin pupet, which is not running; did you mean puppet?',
    fix: 'write eventSource: puppet in place of pupet in event-mappings.yaml',
  },
  {
    what: 'a mapping that is switched off',
    hook: { eventType: 'SwitchedOff' },
    event: { type: 'switched-off' },
    cause: 'eventType: SwitchedOff: the mapping of puppet:switched-off is switched off',
    fix: 'set enabled: true at eventSource puppet, eventType switched-off in event-mappings.yaml',
  },
  {
    what: 'a type that the manifest does not declare',
    hook: { eventType: 'Undeclared' },
    cause: 'eventType: Undeclared: plugin puppet does not declare undeclared in its manifest',
    fix: 'its manifest declares happened, pod-restart, pod-pending, switched-off, not-mapped, node-down, quota-hit; map one of these, or add undeclared there',
  },
  {
    what: 'a plugin that does not run',
    hook: { eventType: 'Asleep' },
    cause: 'eventType: Asleep: its events come from plugin sleeper, which is not running',
    fix: 'enable sleeper in plugins.yaml, or put its bundle into the plugins folder; khook plugin list shows which there are',
  },
  {
    what: 'a Hook in another namespace',
    hook: { eventType: 'PodRestart', namespace: 'mill' },
    event: { type: 'pod-restart' },
    cause: 'the event was in namespace shop, the Hook sees mill',
    fix: 'move the Hook to namespace shop, or to kagent with shop in spec.namespaces',
  },
  {
    what: "a Hook of khook's namespace that does not name the event's",
    hook: { eventType: 'PodRestart', namespace: 'kagent', namespaces: ['mill'] },
    event: { type: 'pod-restart' },
    cause: 'the event was in namespace shop, the Hook sees kagent, mill',
    fix: 'add shop to spec.namespaces',
  },
  {
    what: "spec.namespaces outside of khook's namespace",
    hook: { eventType: 'PodRestart', namespace: 'mill', namespaces: ['shop'] },
    event: { type: 'pod-restart' },
    cause: "spec.namespaces has no effect, because the Hook is not in khook's own namespace kagent",
    fix: 'move the Hook to namespace kagent',
  },
  {
    what: 'a plugin whose events are for other namespaces',
    hook: { eventType: 'DiskFull' },
    event: { source: 'scoped', type: 'disk-full', namespace: undefined },
    cause: 'the event has no namespace, and plugin scoped is for Hooks of mill; the Hook is in shop',
    fix: 'add shop to namespaces of plugin scoped in plugins.yaml',
  },
  {
    what: 'a suspended Hook',
    hook: { eventType: 'PodRestart', suspend: true },
    event: { type: 'pod-restart' },
    cause: 'the Hook is suspended',
    fix: 'set spec.suspend: false',
  },
  {
    what: 'a filter that says no',
    hook: { eventType: 'PodRestart', filter: 'event.reason == "BackOff" && event.severity == "critical"' },
    event: { type: 'pod-restart', reason: 'OOMKilled' },
    cause:
      'its filter `event.reason == "BackOff" && event.severity == "critical"` said no; event.reason is "", event.severity is "warning"',
    fix: 'change spec.filter of shop/m-16 if this is to pass; khook replay tries it on recorded events',
  },
  {
    what: 'a filter that asks for what is not there',
    hook: { eventType: 'PodRestart', filter: 'event.metadata.exitCode == 137' },
    event: { type: 'pod-restart', metadata: { code: 137 } },
    cause:
      'its filter `event.metadata.exitCode == 137` failed: 1:16: No such key: exitCode; if it may be missing, ask with has() first, or write .?exitCode.orValue(…); event.metadata.exitCode is missing',
    fix: 'mend spec.filter',
  },
  {
    what: 'a filter with a field that no event has',
    hook: { eventType: 'PodRestart', filter: 'event.reasn == "BackOff"' },
    event: { type: 'pod-restart' },
    cause:
      'its filter `event.reasn == "BackOff"` cannot be used: 1:7: No such key: reasn; an event has type, internalType, source, resourceName, namespace, reason, message, severity, tags, metadata, timestamp',
    fix: 'mend spec.filter',
  },
  {
    what: 'a filter that is no expression',
    hook: { eventType: 'PodRestart', filter: 'event.reason = "BackOff"' },
    event: { type: 'pod-restart' },
    cause: 'its filter `event.reason = "BackOff"` cannot be used: 1:14: Unexpected character: =',
    fix: 'mend spec.filter',
  },
  {
    what: 'a filter that compares the type with its other name',
    hook: { eventType: 'PodRestart', filter: 'event.type == "PodRestart"' },
    event: { type: 'pod-restart' },
    cause: 'its filter `event.type == "PodRestart"` said no; event.type is "pod-restart"',
    fix: 'change spec.filter of shop/m-20 if this is to pass; khook replay tries it on recorded events',
  },
  {
    what: 'a name asked for with a slip',
    hook: { eventType: 'PodRestart' },
    asked: 'shop/m-21-x',
    cause: 'there is no Hook shop/m-21-x in force; did you mean shop/m-21?',
    fix: 'khook check names what keeps a Hook out; in force are shop/m-0, shop/m-1, shop/m-10, mill/m-11, kagent/m-12, mill/m-13, shop/m-14, shop/m-15, shop/m-16, shop/m-17 and 13 more',
  },
  {
    what: 'a Hook asked for in another namespace',
    hook: { eventType: 'PodRestart', namespace: 'mill' },
    asked: 'shop/m-22',
    cause: 'there is no Hook shop/m-22 in force; did you mean mill/m-22?',
    fix: 'khook check names what keeps a Hook out; in force are shop/m-0, shop/m-1, shop/m-10, mill/m-11, kagent/m-12, mill/m-13, shop/m-14, shop/m-15, shop/m-16, shop/m-17 and 13 more',
  },
];
