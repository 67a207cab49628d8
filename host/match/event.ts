// Runs in a pool thread.
/** One line of a frame becomes an event, or the words for what is wrong with it. Untrusted text: own properties only, every cause bounded. */

import { messageOf } from '../../ipc/errors.ts';
import { MAX_EVENT_BYTES } from '../../ipc/event.ts';
import { rfc3339Fault } from './timestamp.ts';

/** What a line carries: the type and the source of an event stand beside it, in the frame. Absent texts are undefined or null. */
export interface DecodedEvent {
  readonly resourceName: string;
  readonly message: string;
  readonly namespace?: string | null;
  readonly reason?: string | null;
  readonly timestamp?: string | null;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  readonly tags?: Readonly<Record<string, string>> | null;
}

/** Longest resourceName and namespace: they make the dedup key, so they are refused, not cut. */
export const MAX_NAME_LENGTH = 1_024;
const MAX_CAUSES = 5;
const SHOWN_LENGTH = 64;

/** The event, or its faults in words, joined with `; `. */
export function decodeEvent(line: string): DecodedEvent | string {
  if (line.length > MAX_EVENT_BYTES / 3 && Buffer.byteLength(line) > MAX_EVENT_BYTES) {
    return `an event must be at most ${MAX_EVENT_BYTES} bytes of JSON, got ${Buffer.byteLength(line)}`;
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return `an event must be a JSON object on one line: ${messageOf(error).slice(0, 200)}`;
  }
  if (!isObject(value)) return `an event must be a JSON object, got ${typeOf(value)}`;
  return isSound(value) ? (value as unknown as DecodedEvent) : faultsOf(value);
}

/** The short way for the ordinary event; whatever fails here is told in words by `faultsOf`. */
function isSound(event: Readonly<Record<string, unknown>>): boolean {
  const { resourceName, message, namespace, reason, timestamp, metadata, tags } = event;
  if (typeof resourceName !== 'string' || resourceName === '' || resourceName.length > MAX_NAME_LENGTH) return false;
  if (typeof message !== 'string' || message === '') return false;
  if (!isOptionalText(namespace) || (namespace?.length ?? 0) > MAX_NAME_LENGTH) return false;
  if (!isOptionalText(reason)) return false;
  if (!isNothing(timestamp) && rfc3339Fault(timestamp) !== null) return false;
  if (!isNothing(metadata) && !isObject(metadata)) return false;
  return isNothing(tags) || (isObject(tags) && tagFault(tags) === null);
}

function faultsOf(event: Readonly<Record<string, unknown>>): string {
  const faults: string[] = [];
  const add = (fault: string | null): void => {
    if (fault !== null) faults.push(fault);
  };
  add(requiredFault('resourceName', event.resourceName) ?? nameFault('resourceName', event.resourceName));
  add(requiredFault('message', event.message));
  add(textFault('namespace', event.namespace) ?? nameFault('namespace', event.namespace));
  add(textFault('reason', event.reason));
  const { timestamp, metadata, tags } = event;
  if (!isNothing(timestamp)) add(rfc3339Fault(timestamp));
  if (!isNothing(metadata) && !isObject(metadata)) add(`metadata must be an object, got ${typeOf(metadata)}`);
  if (!isNothing(tags)) add(isObject(tags) ? tagFault(tags) : `tags must be an object, got ${typeOf(tags)}`);
  return faults.slice(0, MAX_CAUSES).join('; ');
}

function requiredFault(field: string, value: unknown): string | null {
  if (isNothing(value) || value === '') return `${field} cannot be empty`;
  return textFault(field, value);
}

function textFault(field: string, value: unknown): string | null {
  return isOptionalText(value) ? null : `${field} must be a string, got ${typeOf(value)}`;
}

function nameFault(field: string, value: unknown): string | null {
  if (typeof value !== 'string' || value.length <= MAX_NAME_LENGTH) return null;
  return `${field} must be at most ${MAX_NAME_LENGTH} characters, got ${value.length}`;
}

function tagFault(tags: Readonly<Record<string, unknown>>): string | null {
  // JSON gives objects nothing to inherit but Object.prototype, of which nothing is enumerable.
  for (const key in tags) {
    const value = tags[key];
    if (typeof value === 'string') continue;
    return `tags.${key.slice(0, SHOWN_LENGTH)} must be a string, got ${typeOf(value)}`;
  }
  return null;
}

function isNothing(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function isOptionalText(value: unknown): value is string | null | undefined {
  return typeof value === 'string' || isNothing(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
