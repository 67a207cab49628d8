// Runs in the plugin's thread.
/**
 * The thread's own ports and everything that talks across threads. A plugin that held one of the runtime's ports could only say
 * what the host does not believe anyway; Node's private port is another matter: one wrong message on it throws inside the host.
 */

import { isMainThread, type MessagePort } from 'node:worker_threads';
import type { Doors } from './doors.ts';
import { intercept, lock, lockInherited, wrapConstructor } from './lock.ts';
import { each, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } from './primordials.ts';
import type { Refusals } from './refusal.ts';

const ACROSS = 'it reaches other threads; what a plugin has to say goes through ctx.emit';
const INTERNALS = "it shows the runtime's own objects; AsyncLocalStorage is there for context";

export interface MessagingGuardOptions {
  readonly refusals: Refusals;
  readonly doors: Doors;
  /** The runtime's own. */
  readonly ports: readonly MessagePort[];
}

export function guardMessaging({ refusals, doors, ports }: MessagingGuardOptions): void {
  const threads = process.getBuiltinModule('node:worker_threads') as unknown as Record<string, unknown>;
  const NoBroadcast = wrapConstructor(BroadcastChannel as never, () => {
    throw refusals.error('BroadcastChannel', ACROSS);
  });
  lock(threads, 'parentPort', null);
  lock(threads, 'workerData', null);
  lock(threads, 'BroadcastChannel', NoBroadcast);
  lock(globalThis, 'BroadcastChannel', NoBroadcast);
  for (const name of ['postMessageToThread', 'moveMessagePortToContext']) {
    if (name in threads) lock(threads, name, refusals.refuse(`worker_threads.${name}`, ACROSS));
  }
  lock(
    threads,
    'Worker',
    wrapConstructor(threads.Worker as never, () => {
      throw refusals.error('worker_threads.Worker', 'a plugin has one thread');
    }),
  );
  const locks = threads.locks as object | undefined;
  if (locks !== undefined) {
    for (const name of ['request', 'query']) {
      intercept(getPrototypeOf(locks) as object, name, refusals.refuse(`locks.${name}`, ACROSS));
    }
  }
  doors.on(['async_hooks'], (hooks) => {
    each(['createHook', 'executionAsyncResource'], (name) => {
      intercept(hooks, name, refusals.refuse(`async_hooks.${name}`, INTERNALS));
    });
  });
  for (const port of [...ports, ...privatePort()]) {
    for (const name of ['dispatchEvent', 'postMessage', 'close'] as const) lock(port, name, port[name]);
  }
  lockDelivery();
}

/** Node calls these on a port by name; replaced by a plugin, they would be called with the port as `this`. */
function lockDelivery(): void {
  const port = globalThis.MessagePort.prototype;
  for (const key of ownKeys(port)) {
    if ('value' in (getOwnPropertyDescriptor(port, key) ?? {}) && key !== 'constructor')
      lock(port, key, Reflect.get(port, key));
  }
  for (const prototype of [getPrototypeOf(port) as object, EventTarget.prototype]) {
    for (const key of ownKeys(prototype)) {
      const descriptor = getOwnPropertyDescriptor(prototype, key);
      if (typeof descriptor?.value !== 'function' || key === 'constructor' || descriptor.configurable !== true)
        continue;
      if (typeof key === 'symbol') lock(prototype, key, descriptor.value);
      else lockInherited(prototype, key);
    }
  }
}

/** Of a worker: the port behind its standard streams. */
function privatePort(): MessagePort[] {
  if (isMainThread) return [];
  const stdout = process.stdout as unknown as Record<symbol, MessagePort>;
  const symbol = Object.getOwnPropertySymbols(stdout).find(({ description }) => description === 'kPort');
  return symbol === undefined ? [] : [stdout[symbol] as MessagePort];
}
