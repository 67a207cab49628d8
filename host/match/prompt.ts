/**
 * A Hook's prompt: a Go template over one event. Event text is data: secrets are taken out, it is cut at a cap, fenced unless the
 * Hook wants it bare, and never expanded again. A prompt that is no template, or that does not fit an event, goes out as its raw
 * text, and the problem is told.
 */

import type { Mapping } from '../config/mapping.ts';
import type { DecodedEvent } from './event.ts';
import type { Fence } from './fence.ts';
import { renderTemplate } from './template/evaluator.ts';
import { type ParsedTemplate, parseTemplate } from './template/parser.ts';
import { TemplateError } from './template/template-error.ts';
import { capText, safeRecord, safeText } from './text-cap.ts';
import { formatWall, toSeconds } from './timestamp.ts';

const MESSAGE_CAP = 8_192;
const FIELD_CAP = 1_024;

/** The names a prompt may use. An action that is only another name (`{{.Foo}}`) stays in the text, as Hooks have always had it. */
export const ROOT_FIELDS: ReadonlySet<string> = new Set([
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
  /** Of the lines that follow every prompt: name and text, those without a text left out. */
  readonly context: readonly (readonly [name: string, text: string])[];
}

export interface EventOrigin {
  readonly source: string;
  readonly type: string;
  readonly mapping: Mapping;
  /** Unix milliseconds; the time of an event that carries none. */
  readonly receivedAt: number;
}

export function promptData(event: DecodedEvent, origin: EventOrigin): PromptData {
  const resourceName = safeText(event.resourceName, FIELD_CAP);
  const namespace = safeText(event.namespace ?? '', FIELD_CAP);
  const reason = safeText(event.reason ?? '', FIELD_CAP);
  const message = safeText(event.message, MESSAGE_CAP);
  const timestamp = event.timestamp ? toSeconds(event.timestamp) : formatWall(origin.receivedAt);
  // Made when a prompt asks for them: most do not.
  const metadata = once(() => safeRecord(event.metadata ?? {}, FIELD_CAP));
  const tags = once(() =>
    Object.assign(safeRecord(origin.mapping.tags, FIELD_CAP), safeRecord(event.tags ?? {}, FIELD_CAP)),
  );
  const common = { ResourceName: resourceName, Namespace: namespace, Reason: reason, Message: message };
  const shared = { ...common, Timestamp: timestamp, Source: origin.source };
  const fields = {
    ...shared,
    EventType: origin.type,
    EventMessage: message,
    EventTime: timestamp,
    Severity: origin.mapping.severity,
    InternalType: origin.mapping.internalType,
    get Metadata(): unknown {
      return metadata();
    },
    get Tags(): unknown {
      return tags();
    },
    Event: {
      ...shared,
      Type: origin.type,
      get Metadata(): unknown {
        return metadata();
      },
      get Tags(): unknown {
        return tags();
      },
    },
  };
  const context = [
    ['Namespace', namespace],
    ['Reason', reason],
    ['Message', message],
  ] as const;
  return { fields, context: context.filter(([, text]) => text !== '') };
}

function once<Value extends object>(make: () => Value): () => Value {
  let made: Value | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

export interface RenderedPrompt {
  readonly text: string;
  /** Why the raw text went out, or null. */
  readonly problem: string | null;
}

export interface RenderOptions {
  /** As the Hook names it. */
  readonly eventType: string;
  /** Characters of the rendered part; its mark and the lines that follow come on top. */
  readonly maxLength: number;
  /** None: event text stands in the prompt as it is. */
  readonly fence?: Fence | null;
}

export function renderPrompt(prompt: Prompt, data: PromptData, options: RenderOptions): RenderedPrompt {
  const { fence = null } = options;
  const before = fence?.marked;
  const { text, problem } = renderTop(prompt, data, options);
  const lines = data.context.map(([name, value]) => `\n${name}: ${fence?.wrap(value) ?? value}`).join('');
  // Told, not looked for: a search would write out texts that are long and made of pieces.
  const notice = fence === null || fence.marked === before ? '' : fence.notice;
  return { text: `${text}${notice}${lines}`, problem };
}

/** Without the lines that follow. */
function renderTop(prompt: Prompt, data: PromptData, { eventType, maxLength, fence }: RenderOptions): RenderedPrompt {
  const raw = (problem: string | null): RenderedPrompt => ({ text: capText(prompt.source, maxLength), problem });
  if (prompt.template === null) return raw(prompt.problem);
  data.fields.EventType = eventType;
  try {
    const wrap = fence ? (text: string): string => fence.wrap(text) : undefined;
    const rendering = renderTemplate(prompt.template, data.fields, maxLength, wrap);
    if (!rendering.isCut) return { text: rendering.text.toWellFormed(), problem: null };
    const text = rendering.text.toWellFormed();
    return { text: `${fence?.closed(text) ?? text}… [cut at ${maxLength} characters]`, problem: null };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return raw(error.message);
  }
}
