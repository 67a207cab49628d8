/** A Hook as users write it, in a file or in the cluster, checked and made into the one form every room uses. */

import * as z from 'zod';
import { type AgentRef, type EventConfiguration, GROUPS, type Hook, hookId } from './hook.ts';
import { type Place, type Positioned, problemAt, valueAt, type YamlPath } from './place.ts';
import type { Problem } from './problem.ts';
import { durationMs } from './units.ts';
import { checkConfig } from './zod-problems.ts';
import { type IssueView, typeName } from './zod-words.ts';

export const HOOK_API_VERSION = 'kagent.dev/v1alpha2';
export const HOOK_KIND = 'Hook';

export interface HookOrigin {
  /** File it was read from, or `cluster`. */
  readonly origin: string;
  readonly document?: Positioned | null;
  readonly basePath?: YamlPath;
  /** Of a Hook that names none; default `default`. */
  readonly defaultNamespace?: string;
}

export type HookRead =
  | { readonly kind: 'ok'; readonly hook: Hook }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] };

const MAX_PROMPT = 32_768;
const MAX_FILTER = 4_096;
export const TIMEOUT_BOUNDS = { min: '1s', max: '24h' } as const;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const AGENT_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,251}[A-Za-z0-9])?$/;
const AGENT_ID = /^(?:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,251}[A-Za-z0-9])?$/;

const namespace = z.string().regex(DNS_LABEL, 'must be the name of a namespace');

const eventConfiguration = z
  .strictObject({
    eventType: z
      .string()
      .regex(
        /^[A-Za-z][A-Za-z0-9._-]{0,62}$/,
        'must be letters, digits, dots, dashes and underscores, starting with a letter, at most 63',
      )
      .describe('A raw type (pod-restart) or an internal type (PodRestart).'),
    agentRef: z
      .strictObject({
        name: z.string().regex(AGENT_NAME, 'must be the name of an agent'),
        namespace: namespace.nullish().describe("Default: the Hook's namespace."),
      })
      .nullish()
      .describe('The agent to call.'),
    agentId: z.string().regex(AGENT_ID, 'must be namespace/name or name').nullish().describe('Older form of agentRef.'),
    prompt: z
      .string()
      .max(MAX_PROMPT)
      .regex(/\S/, 'cannot be empty')
      .describe('What the agent is asked: a Go text/template.'),
  })
  .superRefine(({ agentRef, agentId }, context) => {
    const hasRef = agentRef !== undefined && agentRef !== null;
    const hasId = agentId !== undefined && agentId !== null;
    if (hasRef === hasId) {
      const message = hasRef
        ? 'agentRef and agentId name the agent twice; remove agentId'
        : 'agentRef.name is missing: no agent is named';
      context.addIssue({ code: 'custom', path: ['agentRef'], message });
    }
  });

const spec = z.strictObject({
  eventConfigurations: z.array(eventConfiguration).min(1).max(50).describe('What to do about which event.'),
  namespaces: z
    .array(z.union([z.literal('*'), namespace]))
    .max(1_000)
    .nullish()
    .describe("Further namespaces whose events it sees; only in the controller's own namespace."),
  suspend: z.boolean().nullish().describe('Switches the Hook off without deleting it.'),
  filter: z
    .string()
    .max(MAX_FILTER)
    .regex(/\S/, 'cannot be empty')
    .nullish()
    .describe('A CEL expression over event; an event for which it is not true does not fire.'),
  fence: z
    .boolean()
    .nullish()
    .describe('Whether free text of the event is marked as untrusted in prompts; default true.'),
  groupBy: z
    .enum(GROUPS)
    .nullish()
    .describe(
      'What counts as the same for dedup: the resource, or the workload that a pod belongs to; default resource.',
    ),
  timeout: durationMs(TIMEOUT_BOUNDS)
    .nullish()
    .describe('Time for one call of the agent, and for its task; default settings.delivery.'),
  callsPerHour: z
    .int()
    .min(1)
    .max(100_000)
    .nullish()
    .describe('Firings sent to agents in an hour; further ones are put together into one digest; default no limit.'),
});

/** The API server adds to metadata what it likes; only name and namespace are ours. */
export const hookSchema = z.strictObject({
  apiVersion: z.literal(HOOK_API_VERSION),
  kind: z.literal(HOOK_KIND),
  metadata: z.looseObject({
    name: z.string().regex(DNS_NAME, 'must be lower-case letters, digits, dashes and dots'),
    namespace: namespace.nullish(),
  }),
  spec,
  status: z.unknown().optional(),
});

export function parseHook(object: unknown, from: HookOrigin): HookRead {
  const fallback = from.defaultNamespace ?? 'default';
  const place: Place = {
    file: from.origin,
    document: from.document ?? null,
    basePath: from.basePath ?? [],
    subject: subjectOf(object, fallback),
  };
  if (typeof object !== 'object' || object === null || Array.isArray(object)) {
    const message = `a Hook must be an object, got ${typeName(object)}`;
    return { kind: 'bad', problems: [problemAt(place, [], { code: 'HOST_ERR_HOOK', message })] };
  }
  const checked = checkConfig(hookSchema, object, place, { noun: 'Hook field', keyNoun: 'Hook field', reword });
  if (checked.kind === 'bad') return { kind: 'bad', problems: checked.problems.map(asHookProblem) };
  const { metadata, spec: written } = checked.value;
  const home = metadata.namespace ?? fallback;
  const hook: Hook = Object.freeze({
    namespace: home,
    name: metadata.name,
    eventConfigurations: Object.freeze(written.eventConfigurations.map((one) => configuration(one, home))),
    namespaces: Object.freeze([...new Set(written.namespaces ?? [])]),
    suspend: written.suspend ?? false,
    ...wishes(written),
    origin: from.origin,
  });
  return { kind: 'ok', hook };
}

/** Only what was written: a Hook that says nothing of it looks as it always has. */
function wishes({ filter, fence, groupBy, timeout, callsPerHour }: z.output<typeof spec>): Partial<Hook> {
  return {
    ...(filter != null && { filter }),
    ...(fence != null && { fence }),
    ...(groupBy != null && { groupBy }),
    ...(timeout != null && { timeoutMs: timeout }),
    ...(callsPerHour != null && { callsPerHour }),
  };
}

function configuration(written: z.output<typeof eventConfiguration>, home: string): EventConfiguration {
  const { eventType, prompt } = written;
  return Object.freeze({ eventType, agent: agentOf(written, home), prompt });
}

function agentOf({ agentRef, agentId }: z.output<typeof eventConfiguration>, home: string): AgentRef {
  if (agentRef) return Object.freeze({ namespace: agentRef.namespace ?? home, name: agentRef.name });
  const [first = '', second] = (agentId ?? '').split('/');
  return Object.freeze(second === undefined ? { namespace: home, name: first } : { namespace: first, name: second });
}

/** An agent that is not named is named missing under the field users have to write. */
function reword({ issue, value }: IssueView): string | null {
  const field = issue.path.at(-1);
  const isText = field === 'prompt' || field === 'eventType' || field === 'agentId' || field === 'filter';
  return isText && typeof value === 'string' && value.trim() === '' ? `${String(field)} cannot be empty` : null;
}

function asHookProblem(problem: Problem): Problem {
  if (problem.code !== 'HOST_ERR_CONFIG_KEY') return { ...problem, code: 'HOST_ERR_HOOK' };
  // A key of a newer khook is no typing error, and the user should know which of the two it is.
  const fix = [problem.fix, 'this version of khook does not know it'].filter((part) => part !== '').join(' ');
  return { ...problem, fix };
}

function subjectOf(object: unknown, fallback: string): string {
  const name = valueAt(object, ['metadata', 'name']);
  if (typeof name !== 'string' || name === '') return '';
  const home = valueAt(object, ['metadata', 'namespace']);
  return hookId({ namespace: typeof home === 'string' ? home : fallback, name }).slice(0, 320);
}
