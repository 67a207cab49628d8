// Runs in a pool thread.
/** One event as filters see it. What costs something is made when a filter asks for it: most filters look at one or two fields. */

import type { Mapping } from '../config/mapping.ts';
import type { DecodedEvent } from './event.ts';

export interface FilterEventOrigin {
  readonly source: string;
  readonly type: string;
  readonly mapping: Mapping;
  /** Unix milliseconds; the time of an event that carries none. */
  readonly receivedAt: number;
  /** Characters of the event's line. */
  readonly size: number;
}

/** Field → its CEL type. A text that an event lacks is empty; a key that its metadata or tags lack is an error. */
export const FILTER_FIELDS = {
  type: 'string',
  internalType: 'string',
  source: 'string',
  resourceName: 'string',
  namespace: 'string',
  reason: 'string',
  message: 'string',
  severity: 'string',
  tags: 'map<string, string>',
  metadata: 'map<string, dyn>',
  timestamp: 'google.protobuf.Timestamp',
} as const;

const MAX_DEPTH = 100;

export class FilterEvent {
  readonly size: number;
  readonly #event: DecodedEvent;
  readonly #origin: FilterEventOrigin;
  #tags: ReadonlyMap<string, unknown> | null = null;
  #metadata: ReadonlyMap<string, unknown> | null = null;

  constructor(event: DecodedEvent, origin: FilterEventOrigin) {
    this.#event = event;
    this.#origin = origin;
    this.size = origin.size;
  }

  get type(): string {
    return this.#origin.type;
  }

  get internalType(): string {
    return this.#origin.mapping.internalType;
  }

  get source(): string {
    return this.#origin.source;
  }

  get resourceName(): string {
    return this.#event.resourceName;
  }

  get namespace(): string {
    return this.#event.namespace ?? '';
  }

  get reason(): string {
    return this.#event.reason ?? '';
  }

  get message(): string {
    return this.#event.message;
  }

  get severity(): string {
    return this.#origin.mapping.severity;
  }

  get timestamp(): Date {
    const { timestamp } = this.#event;
    return new Date(timestamp ? Date.parse(timestamp) : this.#origin.receivedAt);
  }

  get tags(): ReadonlyMap<string, unknown> {
    this.#tags ??= new Map([...Object.entries(this.#origin.mapping.tags), ...Object.entries(this.#event.tags ?? {})]);
    return this.#tags;
  }

  get metadata(): ReadonlyMap<string, unknown> {
    this.#metadata ??= mapOf(this.#event.metadata ?? {}, 0);
    return this.#metadata;
  }
}

function mapOf(record: object, depth: number): Map<string, unknown> {
  return new Map(Object.entries(record).map(([key, value]) => [key, celValue(value, depth + 1)]));
}

/** Maps for objects, so that no key of the data can mean anything but itself; an int for every whole number. */
function celValue(value: unknown, depth: number): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '… [cut, nested too deep]';
  return Array.isArray(value) ? value.map((item) => celValue(item, depth + 1)) : mapOf(value, depth);
}
