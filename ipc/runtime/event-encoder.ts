// Runs in the plugin's thread.
/** One event as one line of JSON, without its type and source; what can be refused on sight is refused here. */

import type { Clock } from '../clock.ts';
import { CodedError, messageOf, textOf } from '../errors.ts';
import { MAX_EVENT_BYTES, type PluginEvent } from '../event.ts';

// Taken before a plugin, or a library in it, replaces them.
const { stringify } = JSON;
const SystemDate = Date;

export interface Line {
  readonly type: string;
  readonly line: string;
}

export interface EventEncoderOptions {
  readonly plugin: string;
  readonly clock: Clock;
}

export class EventEncoder {
  readonly #options: EventEncoderOptions;
  /** A burst has one time: writing it out for each event would cost as much as the rest of the event. */
  #time = { at: Number.NaN, text: '' };

  constructor(options: EventEncoderOptions) {
    this.#options = options;
  }

  /** Throws CodedError EVENT_ERR_*. Whether the fields are right is the matcher's judgement; here only what could not be sent at all. */
  encode(event: PluginEvent): Line {
    if (typeof event !== 'object' || event === null) {
      throw new CodedError('EVENT_ERR_INVALID', 'an event must be an object { type, resourceName, message }');
    }
    const { type, source, line } = this.#read(event);
    if (typeof type !== 'string' || type.length > 256) {
      throw new CodedError('EVENT_ERR_INVALID', "the event's type must be a string of at most 256 characters");
    }
    const { plugin } = this.#options;
    if (source !== undefined && source !== plugin) {
      const text = `the event claims the source '${textOf(source).slice(0, 64)}'; events of plugin ${plugin} have the source '${plugin}'`;
      throw new CodedError('EVENT_ERR_SOURCE', text, { kind: 'plugin' });
    }
    // A UTF-16 unit is at most three bytes: most events need no counting.
    const bytes = line.length * 3 <= MAX_EVENT_BYTES ? 0 : Buffer.byteLength(line);
    if (bytes > MAX_EVENT_BYTES) {
      const text = `the event of type '${type}' has ${bytes} bytes as JSON; at most ${MAX_EVENT_BYTES} are taken`;
      throw new CodedError('EVENT_ERR_TOO_LARGE', text, { kind: 'plugin' });
    }
    return { type, line };
  }

  /** Everything that may run the plugin's own code (getters, proxies, toJSON) happens in here, and throws with a code. */
  #read(event: PluginEvent): { type: unknown; source: unknown; line: string } {
    try {
      const given = event as PluginEvent & { source?: unknown };
      const { resourceName, message, namespace, reason, metadata, tags } = given;
      const timestamp = given.timestamp ?? this.#now();
      const line: unknown = stringify({ resourceName, message, namespace, reason, timestamp, metadata, tags });
      if (typeof line !== 'string') throw new TypeError('there is a toJSON in Object.prototype');
      return { type: given.type ?? '', source: given.source, line };
    } catch (error) {
      throw new CodedError('EVENT_ERR_NOT_SERIALISABLE', `the event cannot be written as JSON: ${messageOf(error)}`, {
        kind: 'plugin',
      });
    }
  }

  #now(): string {
    const at = this.#options.clock.wall();
    if (at !== this.#time.at) this.#time = { at, text: new SystemDate(at).toISOString() };
    return this.#time.text;
  }
}
