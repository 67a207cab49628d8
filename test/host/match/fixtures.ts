import type { Hook } from '../../../host/config/hook.ts';
import type { Mapping } from '../../../host/config/mapping.ts';
import type { Rules } from '../../../host/match/rules.ts';
import { type FrameVerdict, verdictAt } from '../../../host/match/verdict.ts';
import { type Frame, FrameBuilder } from '../../../ipc/frame.ts';

export function mapping(eventType: string, internalType: string, changes: Partial<Mapping> = {}): Mapping {
  return {
    eventSource: 'kubernetes',
    eventType,
    internalType,
    description: '',
    severity: 'warning',
    tags: {},
    enabled: true,
    ...changes,
  };
}

/** A Hook of one configuration per event type. */
export function hook(
  name: string,
  eventTypes: string | readonly string[],
  changes: Partial<Hook> & { prompt?: string } = {},
): Hook {
  const { prompt = '{{.ResourceName}}', ...rest } = changes;
  const types = typeof eventTypes === 'string' ? [eventTypes] : eventTypes;
  return {
    namespace: 'shop',
    name,
    eventConfigurations: types.map((eventType) => ({ eventType, agent: { namespace: 'kagent', name: 'sre' }, prompt })),
    namespaces: [],
    suspend: false,
    origin: 'test',
    ...rest,
  };
}

export function rules(changes: Partial<Rules> = {}): Rules {
  return {
    version: 1,
    mappings: [mapping('pod-restart', 'PodRestart'), mapping('oom-kill', 'OOMKill')],
    hooks: [],
    controllerNamespace: 'kagent',
    pluginNamespaces: {},
    maxPromptLength: 10_000,
    ...changes,
  };
}

export interface TestEvent {
  readonly type?: string;
  readonly resourceName?: string;
  readonly message?: string;
  readonly namespace?: string;
  readonly reason?: string;
  readonly timestamp?: string;
  readonly metadata?: Record<string, unknown>;
}

/** A text among the events is taken as a line as it stands, of type pod-restart. */
export function frame(events: readonly (TestEvent | string)[]): Frame {
  const builder = new FrameBuilder();
  for (const event of events) {
    if (typeof event === 'string') {
      builder.add('pod-restart', event);
      continue;
    }
    const { type = 'pod-restart', ...rest } = event;
    builder.add(type, JSON.stringify({ resourceName: 'api', message: 'm', namespace: 'shop', ...rest }));
  }
  return builder.cut(1, 0);
}

export function verdictsOf(verdict: FrameVerdict): string[] {
  return Array.from(verdict.verdicts, (_, index) => verdictAt(verdict, index));
}
