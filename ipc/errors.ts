/**
 * Errors that may cross the thread boundary. A class does not survive a structured clone, so both sides match on `code`,
 * never on `instanceof` or on the message.
 */

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

const MESSAGE_LIMIT = 4_096;
const STACK_LIMIT = 8_192;

/** Never throws, whatever `thrown` is: getters that throw, proxies and non-errors all become text. */
export function toWireError(thrown: unknown, fallbackCode: IpcErrorCode): WireError {
  const read = (key: string): unknown => {
    try {
      return (thrown as Record<string, unknown> | null | undefined)?.[key];
    } catch {
      return undefined;
    }
  };
  const text = (value: unknown, limit: number): string => (typeof value === 'string' ? value.slice(0, limit) : '');
  const kind = read('kind');
  return {
    code: text(read('code'), 64) || fallbackCode,
    kind: kind === 'user' || kind === 'plugin' || kind === 'system' ? kind : 'plugin',
    name: text(read('name'), 64) || 'Error',
    message: text(read('message'), MESSAGE_LIMIT) || describe(thrown).slice(0, MESSAGE_LIMIT),
    stack: text(read('stack'), STACK_LIMIT),
  };
}

export function fromWireError(wire: WireError): CodedError {
  const error = new CodedError(wire.code, wire.message, { kind: wire.kind });
  error.name = wire.name;
  if (wire.stack !== '') error.stack = wire.stack;
  return error;
}

/** The code of anything thrown, or an empty string. */
export function codeOf(thrown: unknown): string {
  const code = (thrown as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

/** The message of anything thrown, in one bounded line. */
export function messageOf(thrown: unknown): string {
  return toWireError(thrown, 'PLUGIN_ERR_THROWN').message;
}

function describe(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return 'something that cannot be shown as text was thrown';
  }
}
