/**
 * A Hook's prompt: a Go template over one event. Event text is data: it is cut at a cap and never expanded again.
 * A prompt that is no template, or that does not fit an event, goes out as its raw text, and the problem is told.
 */

import type { Mapping } from '../config/mapping.ts';
import type { DecodedEvent } from './event.ts';
import { renderTemplate } from './template/evaluator.ts';
import { type ParsedTemplate, parseTemplate } from './template/parser.ts';
import { TemplateError } from './template/template-error.ts';
import { capRecord, capText } from './text-cap.ts';
import { formatWall, toSeconds } from './timestamp.ts';

const MESSAGE_CAP = 8_192;
const FIELD_CAP = 1_024;

/** The names a prompt may use. An action that is only another name (`{{.Foo}}`) stays in the text, as Hooks have always had it. */
const ROOT_FIELDS: ReadonlySet<string> = new Set([
  'EventType',
  'ResourceName',
  'Namespace',
  'Reason',
  'Message',
  'EventMessage',
  'Timestamp',
  'EventTime',
  'Source',
  'Severity',
  'InternalType',
  'Metadata',
  'Tags',
  'Event',
]);

export interface Prompt {
  readonly source: string;
  /** Null when the source is not a template. */
  readonly template: ParsedTemplate | null;
  /** `line:column: what is wrong`, or null. */
  readonly problem: string | null;
}

/** Never throws. */
export function compilePrompt(source: string): Prompt {
  try {
    return { source, template: parseTemplate(source, { rootFields: ROOT_FIELDS }), problem: null };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { source, template: null, problem: error.message };
  }
}

/** What one event offers to every prompt that it meets. */
export interface PromptData {
  readonly fields: Record<string, unknown>;
  /** The lines that follow every prompt. */
  readonly context: string;
}

export interface EventOrigin {
  readonly source: string;
  readonly type: string;
  readonly mapping: Mapping;
  /** Unix milliseconds; the time of an event that carries none. */
  readonly receivedAt: number;
}

export function promptData(event: DecodedEvent, origin: EventOrigin): PromptData {
  const resourceName = capText(event.resourceName, FIELD_CAP);
  const namespace = capText(event.namespace ?? '', FIELD_CAP);
  const reason = capText(event.reason ?? '', FIELD_CAP);
  const message = capText(event.message, MESSAGE_CAP);
  const timestamp = event.timestamp ? toSeconds(event.timestamp) : formatWall(origin.receivedAt);
  const metadata = capRecord(event.metadata ?? {}, FIELD_CAP);
  const tags = Object.assign(capRecord(origin.mapping.tags, FIELD_CAP), capRecord(event.tags ?? {}, FIELD_CAP));
  const common = { ResourceName: resourceName, Namespace: namespace, Reason: reason, Message: message };
  const shared = { ...common, Timestamp: timestamp, Metadata: metadata, Tags: tags, Source: origin.source };
  const fields = {
    ...shared,
    EventType: origin.type,
    EventMessage: message,
    EventTime: timestamp,
    Severity: origin.mapping.severity,
    InternalType: origin.mapping.internalType,
    Event: { ...shared, Type: origin.type },
  };
  return { fields, context: contextLines(namespace, reason, message) };
}

function contextLines(namespace: string, reason: string, message: string): string {
  const lines = [
    ['Namespace', namespace],
    ['Reason', reason],
    ['Message', message],
  ];
  return lines.map(([name, value]) => (value === '' ? '' : `\n${name}: ${value}`)).join('');
}

export interface RenderedPrompt {
  readonly text: string;
  /** Why the raw text went out, or null. */
  readonly problem: string | null;
}

/** `eventType` is the type as the Hook names it. The rendered part is at most `maxLength` long, and its mark. */
export function renderPrompt(
  prompt: Prompt,
  data: PromptData,
  options: { readonly eventType: string; readonly maxLength: number },
): RenderedPrompt {
  const { maxLength, eventType } = options;
  const raw = (problem: string | null): RenderedPrompt => ({
    text: capText(prompt.source, maxLength) + data.context,
    problem,
  });
  if (prompt.template === null) return raw(prompt.problem);
  data.fields.EventType = eventType;
  try {
    const rendering = renderTemplate(prompt.template, data.fields, maxLength);
    const mark = rendering.isCut ? `… [cut at ${maxLength} characters]` : '';
    return { text: rendering.text.toWellFormed() + mark + data.context, problem: null };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return raw(error.message);
  }
}
