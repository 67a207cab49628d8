/**
 * One line of a recording: by what events were judged, one event with what became of it, or how many are missing. Written by
 * `khook record`, read by `khook replay`, and by whoever likes; the shape is a contract: docs/replay.md.
 */

import * as z from 'zod';
import { messageOf } from '../../ipc/errors.ts';
import { OUTCOMES } from '../../ipc/event.ts';
import { GROUPS, type Hook } from '../config/hook.ts';
import { type Mapping, SEVERITIES } from '../config/mapping.ts';
import { EVENT_FIELDS } from '../match/transcript.ts';

/** Grows when an older khook could not read it any more. */
export const RECORDING_FORMAT = 1;

/** Unix milliseconds inside. */
const time = z.string().transform((text, context): number => {
  const at = Date.parse(text);
  if (Number.isFinite(at)) return at;
  context.addIssue({ code: 'custom', message: 'must be a time such as 2026-01-02T03:04:05.678Z', input: text });
  return z.NEVER;
});
const names = z.array(z.string());

// Loose: what a later khook knows of mappings and Hooks is handed on.
const mapping = z.looseObject({
  eventSource: z.string(),
  eventType: z.string(),
  internalType: z.string(),
  description: z.string().default(''),
  severity: z.enum(SEVERITIES).default('info'),
  tags: z.record(z.string(), z.string()).default({}),
  enabled: z.boolean().default(true),
});

const hook = z.looseObject({
  namespace: z.string(),
  name: z.string(),
  eventConfigurations: z.array(
    z.object({
      eventType: z.string(),
      agent: z.object({ namespace: z.string(), name: z.string() }),
      prompt: z.string(),
    }),
  ),
  namespaces: names.default([]),
  suspend: z.boolean().default(false),
  filter: z.string().exactOptional(),
  fence: z.boolean().exactOptional(),
  groupBy: z.enum(GROUPS).exactOptional(),
  timeoutMs: z.number().exactOptional(),
  callsPerHour: z.number().int().positive().exactOptional(),
});

const config = z.object({
  kind: z.literal('config'),
  format: z.literal(RECORDING_FORMAT),
  khook: z.string(),
  /** Of the host process. */
  run: z.string(),
  at: time,
  /** In force for events of this order and later; the first of a run for all of them. */
  order: z.number(),
  redacted: z.boolean(),
  controllerNamespace: z.string(),
  dedupWindowMs: z.number().positive(),
  maxPromptLength: z.number().positive(),
  plugins: z.record(z.string(), z.object({ eventTypes: names, namespaces: names.nullable() })),
  mappings: z.array(mapping),
  hooks: z.array(hook),
});

const firing = z.object({
  hook: z.string(),
  configuration: z.number(),
  agent: z.string(),
  decision: z.enum(['accepted', 'duplicate', 'dropped', 'pending']),
  /** What is the same for two firings that are duplicates of each other, in one run. */
  key: z.string().exactOptional(),
  messageId: z.string().exactOptional(),
  /** A duplicate of an earlier firing, and until when. */
  until: time.exactOptional(),
  /** A duplicate of this event. */
  of: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  /** Of its Hook, when it came. */
  budget: z.object({ callsPerHour: z.number(), calls: z.number(), until: time.exactOptional() }).exactOptional(),
  held: z.boolean().exactOptional(),
  digest: z.string().exactOptional(),
  outcome: z.enum(OUTCOMES).exactOptional(),
  endedAt: time.exactOptional(),
});

const eventShape = {
  kind: z.literal('event'),
  id: z.string().default(''),
  source: z.string().min(1),
  type: z.string(),
  receivedAt: time,
  judgedAt: time.exactOptional(),
  /** On the monotonic clock of the host. */
  elapsedMs: z.number().exactOptional(),
  /** Place among all events that the host has judged. */
  order: z.number().exactOptional(),
  /** In place of the fields of an event: what is none, or what these could not give back to the letter. */
  line: z.string().exactOptional(),
  redacted: z.boolean().default(false),
  internalType: z.string().default(''),
  outcome: z.enum(OUTCOMES).nullable().default(null),
  cause: z.string().default(''),
  /** Absent: not known. */
  firings: z.array(firing).exactOptional(),
  hasMoreFirings: z.boolean().default(false),
};
/** Its other members are the event itself. */
const event = z.looseObject(eventShape);
const eventWithoutItself = z.object(eventShape);

const missed = z.object({ kind: z.literal('missed'), count: z.number() });
const line = z.discriminatedUnion('kind', [config, event, missed]);

export type RecordedConfig = Omit<z.input<typeof config>, 'mappings' | 'hooks' | 'plugins'> & {
  readonly plugins: Readonly<
    Record<string, { readonly eventTypes: readonly string[]; readonly namespaces: readonly string[] | null }>
  >;
  readonly mappings: readonly Mapping[];
  readonly hooks: readonly Omit<Hook, 'origin'>[];
};
export type RecordedFiring = z.input<typeof firing>;

export type ConfigRead = Omit<z.output<typeof config>, 'mappings' | 'hooks'> &
  Pick<RecordedConfig, 'mappings' | 'hooks'>;
export type FiringRead = z.output<typeof firing>;
export type MissedRead = z.output<typeof missed>;
export type EventRead = Omit<z.output<typeof eventWithoutItself>, 'line'> & {
  /** As it came from the plugin. */
  readonly line: string;
  readonly hasTimestamp: boolean;
};
export type RecordingRead = ConfigRead | EventRead | MissedRead;

/** Every field of a line, but `kind`. docs/replay.md is held against it. */
export const RECORDING_FIELDS = {
  config: fieldsOf(config.shape),
  event: [...fieldsOf(eventShape), ...EVENT_FIELDS],
  firings: fieldsOf(firing.shape),
};

const FIELDS: ReadonlySet<string> = new Set(EVENT_FIELDS);

function fieldsOf(shape: object): string[] {
  return Object.keys(shape).filter((key) => key !== 'kind');
}

/** The line, or what is wrong with it. */
export function readRecordingLine(text: string): RecordingRead | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `it is not JSON: ${messageOf(error).slice(0, 120)}`;
  }
  const read = line.safeParse(value);
  if (!read.success) return faultOf(read.error.issues[0]);
  if (read.data.kind !== 'event') return read.data as ConfigRead | MissedRead;
  const fields = Object.entries(read.data).filter(([key]) => FIELDS.has(key));
  return {
    ...read.data,
    line: read.data.line ?? JSON.stringify(Object.fromEntries(fields)),
    hasTimestamp: typeof read.data.timestamp === 'string',
  };
}

function faultOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'invalid_union') return "its 'kind' must be config, event or missed";
  if (issue?.path[0] === 'format') return `this khook reads recordings of format ${RECORDING_FORMAT}`;
  const path = issue?.path.map(String).join('.') ?? '';
  return `${path === '' ? 'it' : `'${path}'`}: ${issue?.message ?? 'it cannot be read'}`.slice(0, 200);
}
