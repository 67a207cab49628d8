// Runs in the plugin's thread.
/**
 * Names. A plugin that was granted `broker.example:9092` may connect to the addresses that this name resolved to; so the answers
 * are taken where they come from the system, never from what a plugin says they are. Other names are not asked for: a question to
 * a name server can carry a secret out.
 */

import { canonicalAddress } from './address.ts';
import type { Doors } from './doors.ts';
import { liveCount } from './live-count.ts';
import { intercept, lock, wrap } from './lock.ts';
import { resolverHandle } from './native-handles.ts';
import type { NetworkGrants } from './network-policy.ts';
import { guardOption } from './network-slips.ts';
import {
  type AnyFunction,
  apply,
  asNumber,
  create,
  defineProperty,
  each,
  get,
  isArray,
  newPromise,
  ownKeys,
  PlainError,
  SafeWeakSet,
  theProcess,
} from './primordials.ts';
import type { Refusals } from './refusal.ts';
import { Turns } from './turns.ts';

const EACCES = -13;
/** In the thread pool at once, where a name server that does not answer holds a place for seconds. */
const LOOK_UPS_AT_ONCE = 4;
/** Each one that has asked holds a socket. */
const MAX_RESOLVERS = 64;
const { nextTick } = process;

export interface LookUpGuardOptions {
  readonly grants: NetworkGrants;
  readonly refusals: Refusals;
  readonly doors: Doors;
  /** Something of the network was granted: then Node itself looks names up for the plugin, through no door. */
  readonly isGranted: boolean;
}

export function guardLookUps({ grants, refusals, doors, isGranted }: LookUpGuardOptions): void {
  const turns = new Turns(LOOK_UPS_AT_ONCE);
  const refusal = (name: unknown): Error => {
    const host = typeof name === 'string' ? name : '';
    refusals.report(`the address of ${host}`, 'no connection to it was granted');
    const error = new PlainError(`getaddrinfo EACCES ${host}: no connection to it was granted`);
    each(['errno', 'code', 'syscall', 'hostname'], (key) => {
      const value = key === 'errno' ? EACCES : key === 'code' ? 'EACCES' : key === 'syscall' ? 'getaddrinfo' : host;
      defineProperty(error, key, { __proto__: null, value, enumerable: true } as PropertyDescriptor);
    });
    return error;
  };
  const guard = (dns: Record<string, unknown>): void => {
    const original = dns.lookup as AnyFunction;
    const lookup = wrap(original, (_original, self, args) => {
      const name = args[0];
      const last = args.length - 1;
      const callback = args[last];
      if (typeof name !== 'string' || typeof callback !== 'function' || canonicalAddress(name) !== null) {
        return apply(original, self as object, args);
      }
      if (!grants.mayLookUp(name)) return apply(nextTick, theProcess, [callback, refusal(name)]);
      let request: unknown;
      args[last] = function (this: unknown, error: unknown, found: unknown, family: unknown): unknown {
        // Called by the answer itself, and by nobody who got hold of this function on the way.
        if (error === null && typeof this === 'object' && this !== null && this === request) learn(grants, name, found);
        return apply(callback as AnyFunction, undefined, [error, found, family]);
      };
      const ask = function (this: object, ...given: unknown[]): unknown {
        request = apply(original, this, given);
        return request;
      };
      turns.callback(ask, self, args);
      return create(null);
    });
    lock(dns, 'lookup', lookup);
    intercept(dns, 'lookupService', (given, self, args) => {
      plainPort(args);
      return turns.callback(given, self, args);
    });
    const promises = dns.promises as Record<string, unknown>;
    intercept(promises, 'lookupService', (given, self, args) => {
      plainPort(args);
      return turns.promise(() => apply(given, self as object, args));
    });
    intercept(promises, 'lookup', (given, self, args) => {
      const name = args[0];
      if (typeof name !== 'string' || name === '' || canonicalAddress(name) !== null)
        return apply(given, self as object, args);
      return newPromise((resolve, reject) => {
        const options: unknown = args[1];
        const callback = (error: unknown, found: unknown, family: unknown): void => {
          if (error !== null) reject(error);
          else resolve(isArray(found) ? found : { address: found, family });
        };
        apply(lookup, dns, options === undefined ? [name, callback] : [name, options, callback]);
      });
    });
    lock(dns, 'promises', promises);
    guardResolvers(dns as never);
    each([dns, promises], (exports) => guardOption(exports, 'Resolver', 'maxTimeout'));
  };
  const guardResolvers = (dns: { Resolver: new () => object; getServers(): string[] }): void => {
    const channel = resolverHandle(dns);
    const resolvers = new SafeWeakSet<object>();
    const count = liveCount(refusals, MAX_RESOLVERS);
    const servers = dns.getServers();
    each(ownKeys(channel) as string[], (name) => {
      if (name !== 'getHostByAddr' && (name[0] !== 'q' || name[1] !== 'u')) return;
      intercept(channel, name, (original, self, args) => {
        const question = args[1];
        if (typeof question === 'string' && grants.mayLookUp(question)) {
          if (!resolvers.has(self as object)) resolvers.add(count('resolvers that asked for a name', self as object));
          return apply(original, self as object, args);
        }
        refusals.report(
          `the address of ${typeof question === 'string' ? question : ''}`,
          'no connection to it was granted',
        );
        return EACCES;
      });
    });
    // Questions go out past the guard of datagrams; so they go to the host's own servers alone.
    each(['setServers', 'setLocalAddress'], (name) => {
      intercept(channel, name, (original, self, args) => {
        const given = name === 'setServers' ? knownServers(args[0], servers) : null;
        if (given !== null) return apply(original, self as object, [given]);
        throw refusals.error(`dns.${name}`, 'names are asked from the name servers of the host');
      });
    });
  };
  if (isGranted) guard(process.getBuiltinModule('node:dns') as unknown as Record<string, unknown>);
  else doors.on(['dns', 'dns/promises'], guard);
}

/** Minus zero is a port to Node, and none to its native code. */
function plainPort(args: unknown[]): void {
  const port = args[1];
  if ((typeof port === 'number' || typeof port === 'string') && 1 / asNumber(port) === -Infinity) args[1] = 0;
}

/** `[[family, address, port], …]` if each is one of the host's, read once and copied; else null. */
function knownServers(given: unknown, servers: readonly string[]): unknown[] | null {
  const list: unknown[] = [];
  if (!isArray(given)) return null;
  for (let index = 0; index < given.length; index += 1) {
    const server = given[index] as unknown[];
    const value = [server[0], server[1], server[2]];
    let isKnown = false;
    each(servers, (known) => {
      if (known === value[1] && value[2] === 53) isKnown = true;
    });
    if (!isKnown) return null;
    // Defined: a setter planted on Array.prototype must not see it.
    defineProperty(list, index, { __proto__: null, value, enumerable: true } as PropertyDescriptor);
  }
  return list;
}

function learn(grants: NetworkGrants, name: string, found: unknown): void {
  if (typeof found === 'string') grants.learn(name, found);
  if (!isArray(found)) return;
  for (let index = 0; index < found.length; index += 1) {
    const address: unknown = get(found[index] as object, 'address');
    if (typeof address === 'string') grants.learn(name, address);
  }
}
