// Runs in the plugin's thread.
/** As `slips.ts`, of what speaks to the network; and TLS may not be traced: OpenSSL writes that to the standard error of the host. */

import type { Doors } from './doors.ts';
import { intercept, lock, lockInherited, wrap, wrapConstructor } from './lock.ts';
import {
  type AnyFunction,
  apply,
  construct,
  get,
  getPrototypeOf,
  isView,
  PlainRangeError,
  PlainTypeError,
} from './primordials.ts';
import type { Refusals } from './refusal.ts';
import { coded, LIMIT, outOfRange, readAgain, withoutMinus } from './slips.ts';

const ignore = (): void => undefined;
/** Leads nowhere. */
const nowhere = (): object => {
  const { Duplex } = process.getBuiltinModule('node:stream');
  return new Duplex({ read: ignore, write: (_chunk, _encoding, done) => done() });
};

/** Options in which one number may not be that large. */
function checked(given: unknown, name: string): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const options = readAgain(given);
  const value = options[name];
  if (typeof value === 'number' && value >= LIMIT) throw outOfRange(`options.${name}`, value);
  return options;
}

/** A class whose options have a number that native code takes as one of 31 bits. */
export function guardOption(target: object, className: string, option: string): void {
  const original = get(target, className) as AnyFunction;
  lock(
    target,
    className,
    wrapConstructor(original, (made, args, newTarget) => {
      if (args.length > 0) args[0] = checked(args[0], option);
      return construct(made, args, newTarget);
    }),
  );
}

/** On a native handle: the size of a datagram socket's buffer. */
export function guardBufferSize(udp: object): void {
  intercept(udp, 'bufferSize', withoutMinus);
}

export function guardNetworkSlips(refusals: Refusals, doors: Doors): void {
  guardOption(process.getBuiltinModule('node:net'), 'SocketAddress', 'flowlabel');
  doors.on(['tls', 'https', 'http2', '_tls_wrap', '_tls_common', 'diagnostics_channel'], () => guardTls(refusals));
  doors.on(['http2'], guardSettings);
}

function guardTls(refusals: Refusals): void {
  const tls = process.getBuiltinModule('node:tls') as unknown as Record<string, new (first?: object) => object>;
  const context = get(new (tls.SecureContext as new () => object)(), 'context') as object;
  intercept(getPrototypeOf(context) as object, 'setSessionTimeout', withoutMinus);
  const TLSSocket = tls.TLSSocket as new (
    first: object,
  ) => { on(name: string, heard: () => void): void; destroy(): void };
  const socket = new TLSSocket(nowhere());
  socket.on('error', ignore);
  const handle = getPrototypeOf(get(socket, '_handle') as object) as object;
  lock(handle, 'enableTrace', () => {
    refusals.report('a trace of TLS', 'it is written past the log, to the standard error of the host');
  });
  // What lay in the stream that TLS is put over: text when it has an encoding, anything in object mode.
  intercept(handle, 'receive', (original, self, args) => {
    if (isView(args[0])) return apply(original, self as object, args);
    throw coded(
      new PlainTypeError('TLS takes bytes: its stream has an encoding or is in object mode'),
      'ERR_STREAM_WRAP',
    );
  });
  const ask = get(TLSSocket.prototype, 'getEphemeralKeyInfo') as AnyFunction;
  lockInherited(
    TLSSocket.prototype,
    'getEphemeralKeyInfo',
    // Before there is a key, native code reads where nothing is.
    wrap(ask, (original, self, args) =>
      get(self as object, '_secureEstablished') === true ? apply(original, self as object, args) : null,
    ),
  );
  socket.destroy();
}

/** Of all settings this one alone may not be 0, which NaN becomes. */
function guardSettings(http2: Record<string, unknown>): void {
  const connect = http2.connect as AnyFunction;
  const options = { createConnection: nowhere };
  const session = apply(connect, http2, ['http://localhost', options]) as {
    on(name: string, heard: () => void): void;
    destroy(): void;
  };
  session.on('error', ignore);
  const prototype = getPrototypeOf(getPrototypeOf(session) as object) as object;
  const settings = get(prototype, 'settings') as AnyFunction;
  lockInherited(
    prototype,
    'settings',
    wrap(settings, (original, self, args) => {
      if (typeof args[0] === 'object' && args[0] !== null) {
        const given = readAgain(args[0]);
        const size = given.maxFrameSize;
        if (size !== undefined && !((size as number) > 0)) {
          const text = `Invalid value for setting "maxFrameSize": ${typeof size === 'number' ? size : typeof size}`;
          throw coded(new PlainRangeError(text), 'ERR_HTTP2_INVALID_SETTING_VALUE');
        }
        args[0] = given;
      }
      return apply(original, self as object, args);
    }),
  );
  session.destroy();
}
