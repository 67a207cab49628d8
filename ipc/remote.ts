/**
 * Calls over the control wire. comlink does the call bookkeeping, in one direction only: the plugin's thread exposes, the host
 * wraps. What comlink lacks is added here: a deadline for every call, rejection when the wire closes, a bound on waiting calls,
 * and a guard in front of it, because a forged reply of comlink's own kinds would become a live proxy inside the host.
 */

import * as Comlink from 'comlink';
import type { Clock, Timer } from './clock.ts';
import { CodedError, fromWireError, isWireError, textOf, toWireError, type WireError } from './errors.ts';
import type { Port } from './port.ts';

type Call = (...args: never[]) => Promise<unknown>;
/** An object of asynchronous functions: what may stand behind a remote. */
export type Remotable<Api> = { [Name in keyof Api]: Call };

/** Every exposed function answers with one of these and never throws: comlink would lose an error's code. */
type Reply =
  | { readonly ok: true; readonly value: string | number | boolean | null }
  | { readonly ok: false; readonly error: WireError };

export interface Remote<Api extends Remotable<Api>> {
  /** Rejects with IPC_ERR_DEADLINE, IPC_ERR_CLOSED, IPC_ERR_BUSY, or with the coded error of the other side. */
  call<Name extends keyof Api & string>(
    name: Name,
    options: { deadlineMs: number; args?: Parameters<Api[Name]> },
  ): Promise<Awaited<ReturnType<Api[Name]>>>;
  /** Rejects everything that waits and refuses what comes after. Idempotent. */
  close(reason: string): void;
}

export interface RemoteOptions {
  readonly clock: Clock;
  /** Who is called, for error messages: `plugin webhook`. */
  readonly peer: string;
  /** The other side sent something that is not an answer. Called once. */
  readonly onFault: (reason: string) => void;
}

const MAX_WAITING = 16;
/** From the end of a wire to the end of what waits on it. */
const LAST_WORDS_MS = 100;

/** The host's side. Keeps the comlink proxy alive for as long as the remote is: a collected proxy drops its calls. */
export function wrapRemote<Api extends Remotable<Api>>(
  port: Port<unknown, unknown>,
  options: RemoteOptions,
): Remote<Api> {
  const waiting = new Set<(error: CodedError) => void>();
  let closed: string | null = null;
  let lastWords: Timer | null = null;

  const close = (reason: string): void => {
    if (closed !== null) return;
    closed = reason;
    lastWords?.cancel();
    for (const reject of waiting) reject(new CodedError('IPC_ERR_CLOSED', `${options.peer} is gone: ${reason}`));
    waiting.clear();
    port.close();
  };
  /** Ids of the calls on the wire; each may be answered once, even when nobody waits any more. */
  const asked = new Set<unknown>();
  const asking: Wire = {
    post(message) {
      port.post(message);
      asked.add((message as { id?: unknown }).id);
    },
    receive: (receiver) => port.receive(receiver),
  };
  const endpoint = comlinkEndpoint(asking, (message) => {
    // What had arrived before the wire was closed is still delivered after it.
    if (closed !== null) return false;
    const fault = replyFault(message, asked);
    if (fault === null) return true;
    options.onFault(fault);
    close('it broke the protocol');
    return false;
  });
  // The wire of a thread that ends closes before the thread has said why it ends: whoever knows that gets to say it.
  port.onClose(() => {
    if (closed === null) lastWords = options.clock.after(LAST_WORDS_MS, () => close('its control wire closed'));
  });
  const proxy = Comlink.wrap<Record<string, (...args: unknown[]) => Promise<Reply>>>(endpoint);

  return {
    close,
    call(name, { deadlineMs, args = [] as never }) {
      if (closed !== null)
        return Promise.reject(new CodedError('IPC_ERR_CLOSED', `${options.peer} is gone: ${closed}`));
      if (waiting.size >= MAX_WAITING) {
        const text = `${options.peer} has ${MAX_WAITING} calls waiting; '${name}' was not sent`;
        return Promise.reject(new CodedError('IPC_ERR_BUSY', text));
      }
      return new Promise((resolve, reject) => {
        const settle = (finish: () => void): void => {
          timer.cancel();
          waiting.delete(fail);
          finish();
        };
        const fail = (error: CodedError): void => settle(() => reject(error));
        const timer = options.clock.after(deadlineMs, () => {
          fail(
            new CodedError(
              'IPC_ERR_DEADLINE',
              `${options.peer} did not answer '${name}' within ${Number((deadlineMs / 1000).toPrecision(3))} s`,
              { kind: 'plugin' },
            ),
          );
        });
        waiting.add(fail);
        const remote = proxy[name] as (...args: unknown[]) => Promise<Reply>;
        remote(...(args as unknown[])).then(
          (reply) => settle(() => (reply.ok ? resolve(reply.value as never) : reject(fromWireError(reply.error)))),
          (error: unknown) => fail(fromWireError(toWireError(error, 'IPC_ERR_PROTOCOL'))),
        );
      });
    },
  };
}

/** The plugin thread's side. Only the named functions can be reached, whatever path a message asks for. */
export function exposeRemote<Api extends Remotable<Api>>(
  port: Port<unknown, unknown>,
  api: Api,
  names: readonly (keyof Api & string)[],
): void {
  const exposed: Record<string, (...args: never[]) => Promise<Reply>> = Object.create(null);
  for (const name of names) {
    exposed[name] = async (...args) => {
      try {
        return { ok: true, value: plain(await api[name](...args)) };
      } catch (error) {
        return { ok: false, error: toWireError(error, 'PLUGIN_ERR_THROWN') };
      }
    };
  }
  Comlink.expose(
    Object.freeze(exposed),
    comlinkEndpoint(port, (message) => isCallOf(message, names)),
  );
}

type Wire = Pick<Port<unknown, unknown>, 'post' | 'receive'>;

/** Comlink's view of a port; messages that `admit` refuses never reach it. */
function comlinkEndpoint(port: Wire, admit: (message: unknown) => boolean): Comlink.Endpoint {
  type Handler = (event: { data: unknown }) => void;
  const handlers = new Set<Handler>();
  let isReceiving = false;
  return {
    postMessage: (message: unknown) => port.post(message),
    addEventListener(_type: string, listener: unknown) {
      handlers.add(
        typeof listener === 'function' ? (listener as Handler) : (listener as { handleEvent: Handler }).handleEvent,
      );
      if (isReceiving) return;
      isReceiving = true;
      port.receive((message) => {
        if (admit(message)) for (const handler of [...handlers]) handler({ data: message });
      });
    },
    removeEventListener(_type: string, listener: unknown) {
      handlers.delete(listener as Handler);
    },
  };
}

function isCallOf(message: unknown, names: readonly string[]): boolean {
  const call = message as { type?: unknown; path?: unknown };
  if (typeof call !== 'object' || call === null || call.type !== 'APPLY' || !Array.isArray(call.path)) return false;
  return call.path.length === 1 && names.includes(call.path[0] as string);
}

/** What is wrong with a message as an answer to one of the calls that were asked, or null; that call is answered then. */
function replyFault(message: unknown, asked: Set<unknown>): string | null {
  const answer = message as { id?: unknown; type?: unknown; value?: unknown } | null;
  if (typeof answer !== 'object' || answer === null || typeof answer.id !== 'string') return 'not an answer to a call';
  if (answer.type !== 'RAW') return `an answer of kind ${textOf(answer.type).slice(0, 20)}`;
  const reply = answer.value as { ok?: unknown; value?: unknown; error?: unknown } | null;
  if (typeof reply !== 'object' || reply === null) return 'an answer without a result';
  if (reply.ok === true) {
    const { value } = reply;
    const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value);
    if (!isPlain) return 'an answer that is not a plain value';
  } else if (reply.ok !== false || !isWireError(reply.error)) return 'an answer without a result';
  return asked.delete(answer.id) ? null : 'an answer to a call that was not made';
}

function plain(value: unknown): string | number | boolean | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
