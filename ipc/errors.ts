/**
 * Errors that may cross the thread boundary. A class does not survive a structured clone, so both sides match on `code`,
 * never on `instanceof` or on the message.
 */

import { readProperty, type Told, tellThrown, textOf } from './thrown.ts';

export { textOf } from './thrown.ts';

/** Who has to act: `user` = configuration or input, `plugin` = the plugin's code, `system` = the machine or khook itself. */
export type ErrorKind = 'user' | 'plugin' | 'system';

/** Code → what it means. `docs/errors.md` is held against this table in both directions. */
export const IPC_ERRORS = {
  IPC_ERR_CLOSED: 'The other side of a wire is gone; the call was not answered.',
  IPC_ERR_DEADLINE: 'A call over a wire was not answered within its deadline.',
  IPC_ERR_BUSY: 'Too many calls are waiting for an answer on one wire.',
  IPC_ERR_PROTOCOL: 'Something that is not the protocol arrived on a wire.',
  PLUGIN_ERR_CONFIG: 'The plugin refused its configuration (ConfigError). Final until the configuration changes.',
  PLUGIN_ERR_THROWN: "The plugin's own code threw.",
  PLUGIN_ERR_NOT_A_PLUGIN: 'The bundle’s entry has no default export made by definePlugin.',
  PLUGIN_ERR_LOAD: 'The bundle’s entry could not be imported.',
  EVENT_ERR_TOO_LARGE: 'An event is larger than 64 KiB as JSON.',
  EVENT_ERR_NOT_SERIALISABLE: 'An event cannot be written as JSON.',
  EVENT_ERR_SOURCE: 'An event claims a source other than the plugin that emits it.',
  EVENT_ERR_INVALID: 'An event was refused by validation; the message names each field.',
  EVENT_ERR_DROPPED: 'An event was dropped by the rate limit or a full queue (whenFull: drop_newest).',
  EVENT_ERR_STOPPING: 'The plugin is stopping; the event was not taken.',
} as const;

export type IpcErrorCode = keyof typeof IPC_ERRORS;

export interface CodedErrorOptions {
  kind?: ErrorKind;
  /** Plain data for whoever reads the log; never secrets. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

export class CodedError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly details: Record<string, unknown>;

  constructor(code: string, message: string, options: CodedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.kind = options.kind ?? 'system';
    this.details = options.details ?? {};
  }
}

/** The form of an error on a wire: bounded text, no live objects. */
export interface WireError {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

const KINDS: readonly unknown[] = ['user', 'plugin', 'system'] satisfies ErrorKind[];
const CODE_LIMIT = 64;
const NAME_LIMIT = 64;
const MESSAGE_LIMIT = 4_096;
const STACK_LIMIT = 8_192;

/** Never throws, whatever `thrown` is: getters that throw, proxies and non-errors all become text. */
export function toWireError(thrown: unknown, fallbackCode: IpcErrorCode): WireError {
  const read = (key: string): unknown => readProperty(thrown, key);
  const text = (value: unknown, limit: number): string => (typeof value === 'string' ? value.slice(0, limit) : '');
  const kind = read('kind');
  const told = tell(thrown);
  return {
    code: text(read('code'), CODE_LIMIT) || fallbackCode,
    kind: KINDS.includes(kind) ? (kind as ErrorKind) : 'plugin',
    name: text(read('name'), NAME_LIMIT) || 'Error',
    message: text(told.message, MESSAGE_LIMIT) || textOf(thrown).slice(0, MESSAGE_LIMIT),
    stack: text(told.stack, STACK_LIMIT),
  };
}

/** With what caused it; of something that defies it, what it says of itself. */
function tell(thrown: unknown): Told {
  const own = (key: string, limit: number): string => {
    const value = readProperty(thrown, key);
    return typeof value === 'string' ? value.slice(0, limit) : '';
  };
  const said = { message: own('message', MESSAGE_LIMIT), stack: own('stack', STACK_LIMIT) };
  try {
    const told = tellThrown(thrown, said);
    // One of khook's own says in its message what its cause comes to.
    return thrown instanceof CodedError ? { ...told, message: said.message } : told;
  } catch {
    return said;
  }
}

/** True for what `toWireError` makes, and for nothing that is larger or else than that. */
export function isWireError(value: unknown): value is WireError {
  if (typeof value !== 'object' || value === null) return false;
  const { code, kind, name, message, stack } = value as Record<keyof WireError, unknown>;
  const isText = (text: unknown, limit: number): boolean => typeof text === 'string' && text.length <= limit;
  if (!KINDS.includes(kind) || !isText(code, CODE_LIMIT) || !isText(name, NAME_LIMIT)) return false;
  return isText(message, MESSAGE_LIMIT) && isText(stack, STACK_LIMIT);
}

export function fromWireError(wire: WireError): CodedError {
  const error = new CodedError(wire.code, wire.message, { kind: wire.kind });
  error.name = wire.name;
  // Without one, as of a text that was thrown: frames of this side would lead away from where it was.
  error.stack = wire.stack === '' ? `${wire.name}: ${wire.message}` : wire.stack;
  return error;
}

/** The code of anything thrown, or an empty string. Never throws. */
export function codeOf(thrown: unknown): string {
  const code = readProperty(thrown, 'code');
  return typeof code === 'string' ? code : '';
}

/** The message of anything thrown, bounded, without its causes; it may have several lines. Never throws. */
export function messageOf(thrown: unknown): string {
  const message = readProperty(thrown, 'message');
  return (typeof message === 'string' && message !== '' ? message : textOf(thrown)).slice(0, MESSAGE_LIMIT);
}
