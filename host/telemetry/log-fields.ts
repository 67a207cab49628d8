/**
 * Makes any value safe to stand in a log line: bounded in depth, breadth and length, secrets taken out, nothing that a terminal
 * would obey. Plugin text is data; a field can therefore neither forge a line nor overwrite a key of ours.
 */

import { toWireError } from '../../ipc/errors.ts';
import { isNamedSecret, isSecretName, redactText, redactValue } from '../base/redact.ts';

export type LogFields = Readonly<Record<string, unknown>>;

const MAX_TEXT = 8_192;
const MAX_DEPTH = 5;
const MAX_ENTRIES = 50;
/** Characters of all texts of one line together. */
const LINE_BUDGET = 32_768;
/** Keys that the log itself writes; a field of that name gets a `_` at its end. */
const OWN_KEYS = new Set(['level', 'time', 'name', 'plugin', 'msg']);

export interface Escaping {
  /** Also escape what JSON would escape by itself (C0): for a log that is not JSON. */
  readonly controls: boolean;
}

// DEL, C1 (an 8-bit CSI moves a terminal's cursor), line separators, and marks that turn the direction of text: JSON leaves them as they are.
const ALWAYS = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const CONTROLS = /[\u0000-\u001f]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const CONTROLS_BUT_LINES = /[\u0000-\u0008\u000b-\u001f]/g;

/** One line of text for `msg`. */
export function safeMessage(text: string, escaping: Escaping): string {
  const safe = redactText(cut(text, MAX_TEXT)).replace(ALWAYS, visible);
  return escaping.controls ? safe.replace(CONTROLS, visible) : safe;
}

/** Fields for the top level of a line. */
export function safeFields(fields: LogFields, escaping: Escaping): Record<string, unknown> {
  const walk = new Walk(escaping);
  const safe: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields).slice(0, MAX_ENTRIES)) {
    const name = OWN_KEYS.has(key) ? `${key}_` : key;
    if (value !== undefined) safe[name] = walk.field(key, value, 1);
  }
  return safe;
}

class Walk {
  readonly #escaping: Escaping;
  #left = LINE_BUDGET;

  constructor(escaping: Escaping) {
    this.#escaping = escaping;
  }

  field(name: string, value: unknown, depth: number): unknown {
    return isSecretName(name) ? redactValue(name, value) : this.#value(value, depth);
  }

  #value(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'function' || typeof value === 'symbol') return undefined;
    if (typeof value !== 'object' || value === null) return value;
    if (depth > MAX_DEPTH || this.#left <= 0) return '[cut]';
    if (value instanceof Error) return this.#error(value);
    if (Array.isArray(value)) return this.#list(value, depth);
    return this.#object(value, depth);
  }

  #error(error: Error): unknown {
    const { code, message, stack } = toWireError(error, 'PLUGIN_ERR_THROWN');
    return { code, message: this.#text(message), stack: this.#text(stack) };
  }

  #list(list: readonly unknown[], depth: number): unknown[] {
    const safe = list.slice(0, MAX_ENTRIES).map((item) => this.#value(item, depth + 1));
    if (list.length > MAX_ENTRIES) safe.push(`… ${list.length - MAX_ENTRIES} more`);
    return safe;
  }

  #object(value: object, depth: number): unknown {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
    const entries = Object.entries(value instanceof Map ? Object.fromEntries(value) : value);
    const isSecret = isNamedSecret(value);
    const safe: Record<string, unknown> = Object.create(null);
    for (const [key, item] of entries.slice(0, MAX_ENTRIES)) {
      const name = this.#text(key.slice(0, 128));
      safe[name] = isSecret && key === 'value' ? redactValue('token', item) : this.field(key, item, depth + 1);
    }
    if (entries.length > MAX_ENTRIES) safe['…'] = `${entries.length - MAX_ENTRIES} more`;
    return safe;
  }

  #text(text: string): string {
    const bounded = cut(text, Math.max(0, Math.min(MAX_TEXT, this.#left)));
    this.#left -= bounded.length;
    const safe = redactText(bounded).replace(ALWAYS, visible);
    return this.#escaping.controls ? safe.replace(CONTROLS_BUT_LINES, visible) : safe;
  }
}

/** At most `limit` characters, and a word about what is missing. */
export function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length - limit} more characters)`;
}

function visible(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
