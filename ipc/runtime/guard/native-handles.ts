// Runs in the plugin's thread.
/** Prototypes of Node's native handles, reached through one object of each kind that is thrown away. */

import { apply, descriptionOf, each, get, getPrototypeOf, ownKeys } from './primordials.ts';

const ignore = (): void => undefined;

/** No packet is sent: the socket is gone before Node would start. */
export function streamHandles(): { readonly tcp: object; readonly pipe: object } {
  const { Socket } = process.getBuiltinModule('node:net');
  const prototypeOf = (target: object): object => {
    const socket = new Socket();
    socket.on('error', ignore);
    // Without any grant the connection fails at once, and the handle would be gone.
    socket.destroy = () => socket;
    socket.connect(target as never);
    const handle = get(socket, '_handle') as object;
    Reflect.deleteProperty(socket, 'destroy');
    socket.destroy();
    return getPrototypeOf(handle) as object;
  };
  return { tcp: prototypeOf({ host: '127.0.0.1', port: 1 }), pipe: prototypeOf({ path: '/dev/null/none' }) };
}

export function datagramHandle(dgram: { createSocket(type: 'udp4'): object }): object {
  const socket = dgram.createSocket('udp4');
  let handle: object | null = null;
  each(ownKeys(socket), (key) => {
    if (descriptionOf(key) === 'state symbol') {
      handle = get(get(socket, key) as object, 'handle') as object;
    }
  });
  const prototype = getPrototypeOf(handle as unknown as object) as object;
  apply(get(socket, 'close') as () => void, socket, []);
  return prototype;
}

export function resolverHandle(dns: { Resolver: new () => object }): object {
  return getPrototypeOf(get(new dns.Resolver(), '_handle') as object) as object;
}
