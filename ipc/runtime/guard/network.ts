// Runs in the plugin's thread.
/**
 * The network, where the system is called: on the prototypes of Node's native handles. There the address is the one that will be
 * used, whoever looked it up, and everything that speaks (http, tls, fetch, WebSocket, dgram) comes by. A refusal is an EACCES.
 */

import type { NetworkPolicy, ThreadBudget } from '../../control.ts';
import type { Doors } from './doors.ts';
import { Listening } from './listening.ts';
import { intercept, lock } from './lock.ts';
import { guardLookUps } from './look-ups.ts';
import { datagramHandle, streamHandles } from './native-handles.ts';
import { canonicalTarget, isAnyGranted, NetworkGrants } from './network-policy.ts';
import { guardBufferSize } from './network-slips.ts';
import { apply, each, getPrototypeOf, ObjectPrototype, preventExtensions, SafeWeakMap } from './primordials.ts';
import type { Refusals } from './refusal.ts';
import { Sockets } from './sockets.ts';
import type { UseCount } from './use-count.ts';

const EACCES = -13;
const EINVAL = -22;

/** Of a datagram handle: libuv gives it a descriptor and a port as they are called. */
const BINDING: readonly string[] = [
  'recvStart',
  'addMembership',
  'dropMembership',
  'addSourceSpecificMembership',
  'dropSourceSpecificMembership',
];

export interface NetworkGuardOptions {
  readonly refusals: Refusals;
  readonly doors: Doors;
  readonly network: NetworkPolicy;
  readonly budget: Pick<ThreadBudget, 'sockets'>;
  readonly uses: UseCount;
}

export function guardNetwork({ refusals, doors, network, budget, uses }: NetworkGuardOptions): void {
  const grants = new NetworkGrants(network);
  const sockets = new Sockets(budget.sockets, refusals, uses);
  const { tcp, pipe } = streamHandles();
  const hasNet = process.permission?.has('net') ?? true;
  const refused = (what: string, why: string): number => {
    refusals.report(what, why, 'deniedNetwork');
    return EACCES;
  };
  const missing = (grant: string): string => `it was not granted; in plugins.yaml that would be "net: { ${grant} }"`;
  const mayConnect = (address: unknown, port: unknown): number => {
    if (typeof address !== 'string' || typeof port !== 'number') return EINVAL;
    if (grants.mayConnect(address, port)) return 0;
    return refused(
      `a connection to ${address} port ${port}`,
      missing(`connect: ['${canonicalTarget(address, port)}']`),
    );
  };
  /** Port 0 is any free one: without a grant it may be bound (a client does) but not listened on. */
  const mayBind = (address: unknown, port: unknown): number => {
    if (typeof address !== 'string' || typeof port !== 'number') return EINVAL;
    if (port === 0 || grants.mayListen(port)) return 0;
    return refused(`port ${port}`, missing(`listen: [${port}]`));
  };

  const bound = new SafeWeakMap<object, number>();
  const listening = new Listening(network.listen, uses);
  each(['connect', 'connect6'], (name) => {
    intercept(tcp, name, (original, self, args) => {
      const fault = mayConnect(args[1], args[2]) || sockets.open(self as object);
      // Where nothing was granted Node refuses too, and in words of its own.
      if (fault !== 0) return hasNet ? fault : apply(original, self as object, args);
      const result = apply(original, self as object, args);
      if (result === 0) uses.more('connections');
      return result;
    });
  });
  each(['bind', 'bind6'], (name) => {
    intercept(tcp, name, (original, self, args) => {
      // From here on it has a descriptor, whatever becomes of it.
      const fault = mayBind(args[0], args[1]) || sockets.open(self as object);
      if (fault !== 0) return fault;
      bound.set(self as object, args[1] as number);
      return apply(original, self as object, args);
    });
  });
  intercept(tcp, 'listen', (original, self, args) => {
    const port = bound.get(self as object) ?? 0;
    if (!grants.mayListen(port)) return refused(`listening on port ${port}`, missing(`listen: [${port}]`));
    const fault = sockets.open(self as object);
    if (fault !== 0) return fault;
    sockets.countAccepted(self as { onconnection: unknown });
    const result = apply(original, self as object, args);
    if (result === 0) listening.begin(self as object, port);
    return result;
  });
  each(['close', 'reset'], (name) => {
    intercept(tcp, name, (original, self, args) => {
      listening.end(self as object);
      sockets.close(self as object);
      return apply(original, self as object, args);
    });
  });
  lock(tcp, 'open', () => refused('a file descriptor as a socket', 'it may be a socket of the host'));
  each(['connect', 'bind', 'listen', 'open', 'fchmod'], (name) => {
    lock(pipe, name, () => refused('a unix socket', 'sockets of the file system lead around every grant'));
  });
  sealPrototypes(tcp);
  sealPrototypes(pipe);

  doors.on(['tty'], (tty) => {
    each(['ReadStream', 'WriteStream'], (name) =>
      lock(tty, name, refusals.refuse(`tty.${name}`, 'it has no terminal')),
    );
  });
  const guardDatagrams = (dgram: Record<string, unknown>): void => {
    const udp = datagramHandle(dgram as never);
    each(['bind', 'bind6'], (name) => {
      intercept(udp, name, (original, self, args) => {
        const fault = mayBind(args[0], args[1]) || sockets.open(self as object);
        if (fault !== 0) return fault;
        const result = apply(original, self as object, args);
        if (result === 0) listening.begin(self as object, args[1] as number);
        return result;
      });
    });
    each(['connect', 'connect6'], (name) => {
      intercept(udp, name, (original, self, args) => {
        return mayConnect(args[0], args[1]) || sockets.open(self as object) || apply(original, self as object, args);
      });
    });
    each(['send', 'send6'], (name) => {
      intercept(udp, name, (original, self, args) => {
        // (request, list, count, hasCallback) to where it is connected, or with (…, port, address, hasCallback).
        const target = args.length === 4 ? 0 : args.length === 6 ? mayConnect(args[4], args[3]) : EINVAL;
        const fault = target || sockets.open(self as object);
        return fault === 0 ? apply(original, self as object, args) : fault;
      });
    });
    // A socket that is not bound is bound by any of these, and Node asks for no permission then.
    each(BINDING, (name) => {
      intercept(udp, name, (original, self, args) => {
        if (!hasNet) return refused('a datagram socket', 'nothing of the network was granted');
        return sockets.open(self as object) || apply(original, self as object, args);
      });
    });
    intercept(udp, 'close', (original, self, args) => {
      listening.end(self as object);
      sockets.close(self as object);
      return apply(original, self as object, args);
    });
    guardBufferSize(udp);
    lock(udp, 'open', () => refused('a file descriptor as a socket', 'it may be a socket of the host'));
    sealPrototypes(udp);
  };
  doors.on(['dgram'], guardDatagrams);
  guardLookUps({
    grants,
    refusals,
    doors,
    isGranted: isAnyGranted(network),
  });
}

/** No constructor (a handle of its own could be opened, and a wrong call on it aborts the process), and no place for setters. */
function sealPrototypes(first: object): void {
  for (let prototype: object | null = first; prototype !== null && prototype !== ObjectPrototype; ) {
    lock(prototype, 'constructor', undefined);
    preventExtensions(prototype);
    prototype = getPrototypeOf(prototype);
  }
}
