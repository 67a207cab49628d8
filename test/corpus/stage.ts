// Runs in the plugin's thread: copied into the bundle of each body.
/** What a body of the corpus stands on: says when it begins, reports each attempt, and gives deeds what they need. */

import { definePlugin, type Plugin, type PluginContext } from 'khook/plugin';

type Deed = (world: World) => unknown;
type Config = Readonly<Record<string, unknown>>;

export interface Wire {
  /** How it was found. */
  readonly found: string;
  post(message: unknown): void;
  readonly target: object;
}

/** As much of WebAssembly as the bodies use. */
export interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
  readonly Memory: new (limits: {
    initial: number;
    maximum: number;
    shared?: boolean;
  }) => { readonly buffer: ArrayBuffer };
}

export interface World {
  readonly ctx: PluginContext;
  readonly config: Config;
  text(key: string): string;
  number(key: string): number;
  sleep(ms: number): Promise<void>;
  every(ms: number, deed: (n: number) => void): void;
  /** Calls a method that may not be there, of something whose type does not matter. */
  call(target: unknown, method: string, ...args: unknown[]): unknown;
  /** Something that may not be there. */
  get(target: unknown, key: PropertyKey): unknown;
  load(module: string): Promise<Record<string, unknown>>;
  readonly wasm: Wasm;
  /**
   * An escape that succeeds returns what shows it; one that throws, returns nothing or does not answer was denied.
   * Said before it is tried, so that the last line names what killed the host.
   */
  attempt(name: string, deed: () => unknown): Promise<void>;
  /** Every port of the thread that a plugin can find. Reports each way as an attempt. */
  wires(): Promise<Wire[]>;
  event(n: number): { type: string; resourceName: string; message: string };
  /** Emits ten times a second beside its deed; throws, which ends the run, when an event is refused or takes longer than it should. */
  beat(): void;
}

export interface StageDeeds {
  readonly run?: Deed;
  readonly initialize?: Deed;
  readonly start?: Deed;
  readonly stop?: Deed;
  readonly healthCheck?: Deed;
}

const ANSWER_MS = 1_500;
const BEAT_MS = 100;
/** Longer than the longest turn of a healthy body, and what a busy machine adds. */
const BEAT_LIMIT_MS = 4_000;
/** Time for a line to leave the thread before the thread is blocked or gone. */
const SAID_MS = 15;
// Taken before a body spoils them.
const { setTimeout: later, setInterval: often, clearTimeout: never } = globalThis;

export function stage(deeds: StageDeeds): Plugin<Config> {
  let world: World | null = null;
  const act = async (name: keyof StageDeeds, whenAbsent?: unknown): Promise<unknown> => {
    const deed = deeds[name];
    if (deed === undefined || world === null) return whenAbsent;
    if (name !== 'healthCheck') {
      world.ctx.log.info('begins', { deed: name });
      await world.sleep(SAID_MS);
    }
    return deed(world);
  };
  return definePlugin<Config>({
    async initialize(config, ctx) {
      world = makeWorld(config, ctx);
      await act('initialize');
    },
    async start() {
      await act('start');
      if (deeds.run !== undefined) {
        later(() => {
          // Not awaited: what a body throws, or rejects with, is its own.
          void act('run').then(() => world?.ctx.log.info('ends'));
        }, SAID_MS);
      } else if (deeds.start === undefined) world?.ctx.log.info('begins', { deed: 'nothing' });
      often(() => undefined, 60_000);
    },
    async stop() {
      await act('stop');
    },
    ...(deeds.healthCheck !== undefined && { healthCheck: () => act('healthCheck') as Promise<boolean> }),
  });
}

function makeWorld(config: Config, ctx: PluginContext): World {
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => later(resolve, ms));
  const get = (target: unknown, key: PropertyKey): unknown => (target as Record<PropertyKey, unknown>)[key];
  const report = (attempt: string, outcome: string, detail: unknown): void =>
    ctx.log.info('attempt', { attempt, outcome, detail: textOf(detail).slice(0, 120) });
  const attempt = async (name: string, deed: () => unknown): Promise<void> => {
    ctx.log.info('tries', { attempt: name });
    await sleep(3);
    try {
      const found = await within(ANSWER_MS, deed);
      const isNothing = found === undefined || found === null || found === false;
      report(name, isNothing ? 'denied' : 'open', isNothing ? 'nothing came of it' : found);
    } catch (error) {
      report(name, 'denied', get(error ?? {}, 'code') ?? error);
    }
  };
  const world: World = {
    ctx,
    config,
    text: (key) => String(config[key]),
    number: (key) => Number(config[key]),
    sleep,
    every(ms, deed) {
      let n = 0;
      often(() => {
        deed(n);
        n += 1;
      }, ms);
    },
    get,
    call(target, method, ...args) {
      return (get(target, method) as (...given: unknown[]) => unknown).apply(target, args);
    },
    wasm: get(globalThis, 'WebAssembly') as Wasm,
    load: (module) => import(module) as Promise<Record<string, unknown>>,
    attempt,
    wires: () => findWires(world),
    event: (n) => ({ type: 'happened', resourceName: `thing-${n % 100}`, message: `number ${n}` }),
    beat() {
      world.every(BEAT_MS, (n) => {
        const from = performance.now();
        void ctx.emit(world.event(n)).then(() => {
          const ms = performance.now() - from;
          if (ms > BEAT_LIMIT_MS) throw new Error(`an event of a healthy plugin took ${ms} ms`);
        });
      });
    },
  };
  return world;
}

/** `undefined` when nothing comes of it in time. */
function within(ms: number, deed: () => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = later(resolve, ms);
    new Promise((settle) => settle(deed())).then(resolve, reject).finally(() => never(timer));
  });
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'something';
  }
}

/** Everywhere a port has been found to lie about, or to pass through the hands of whoever replaced a method that the runtime uses. */
async function findWires(world: World): Promise<Wire[]> {
  const wires: Wire[] = [];
  const seen = new Set<object>();
  const look = (found: string, value: unknown, depth = 0): void => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value) || depth > 2)
      return;
    seen.add(value);
    const post = read(value, 'postMessage');
    if (typeof post === 'function') {
      wires.push({ found, target: value, post: (message) => void post.call(value, message) });
      return;
    }
    for (const key of Reflect.ownKeys(value)) look(found, read(value, key), depth + 1);
  };
  const way = (name: string, deed: () => unknown): Promise<void> =>
    world.attempt(name, async () => {
      const before = wires.length;
      await deed();
      return wires.length > before ? `${wires.length - before} ports` : null;
    });
  await way('workerData', async () => look('workerData', read(await world.load('node:worker_threads'), 'workerData')));
  await way('parentPort', async () => look('parentPort', read(await world.load('node:worker_threads'), 'parentPort')));
  await way('symbols of the standard streams', () => {
    for (const name of ['stdout', 'stderr', 'stdin'] as const) look(name, process[name]);
  });
  await way('active handles', () => look('handles', world.call(process, '_getActiveHandles')));
  await way('async hooks', async () => {
    const hooks = await import('node:async_hooks');
    hooks.createHook({ init: (_id, _type, _trigger, resource) => look('async hook', resource) }).enable();
    look('execution resource', hooks.executionAsyncResource());
    world.ctx.log.info('something to send');
    await world.sleep(20);
    look('execution resource', hooks.executionAsyncResource());
  });
  await way('replaced methods', async () => {
    const prototypes: object[] = [
      MessagePort.prototype,
      EventTarget.prototype,
      Map.prototype,
      Set.prototype,
      WeakMap.prototype,
    ];
    prototypes.push(Promise.prototype, Function.prototype, Array.prototype);
    for (const prototype of prototypes) {
      for (const key of [
        'postMessage',
        'dispatchEvent',
        'addEventListener',
        'get',
        'set',
        'add',
        'has',
        'then',
        'call',
        'apply',
        'bind',
        'push',
        'forEach',
        'on',
        'emit',
        'onmessage',
        'start',
        'close',
        'ref',
      ]) {
        trap(prototype, key, (value) => value instanceof MessagePort && look(`replaced ${key}`, value));
      }
    }
    const events = await import('node:events');
    trap(
      events.EventEmitter.prototype,
      'emit',
      (value) => value instanceof MessagePort && look('replaced emit', value),
    );
    void world.ctx.emit(world.event(0)).catch(() => undefined);
    world.ctx.log.info('something to send');
    world.ctx.metrics.counter({ name: 'traps_total', help: 'Something to send.' }).inc();
    await world.sleep(300);
  });
  await way('event of a message', async () => {
    for (const key of ['data', 'target', 'currentTarget', 'srcElement', 'ports', 'source']) {
      const owner = key in Event.prototype ? Event.prototype : MessageEvent.prototype;
      const own = Object.getOwnPropertyDescriptor(owner, key);
      if (own?.get === undefined) continue;
      const { get } = own;
      Object.defineProperty(owner, key, {
        ...own,
        get(this: Event) {
          const value: unknown = get.call(this);
          look(`getter ${key}`, value);
          return value;
        },
      });
    }
    await world.ctx.emit(world.event(1));
    await world.sleep(100);
  });
  return wires;
}

function read(value: unknown, key: PropertyKey): unknown {
  try {
    return (value as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** Puts something between the runtime and a method it uses. */
function trap(owner: object, key: string, see: (value: unknown) => unknown): void {
  const own = Object.getOwnPropertyDescriptor(owner, key);
  const original: unknown = own?.value;
  if (own === undefined || typeof original !== 'function' || own.configurable === false) return;
  let isBusy = false;
  const { apply } = Reflect;
  Object.defineProperty(owner, key, {
    ...own,
    value(this: unknown, ...args: unknown[]) {
      if (!isBusy) {
        isBusy = true;
        see(this);
        for (let i = 0; i < args.length; i += 1) see(args[i]);
        isBusy = false;
      }
      return apply(original, this, args);
    },
  });
}
