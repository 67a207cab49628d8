// Runs in the plugin's thread.
/**
 * The doors to Node's own modules: `import`, `require`, `process.getBuiltinModule`. Some stay shut. The others are guarded when
 * they are first opened, not before: a plugin that needs no crypto should not pay for it. A module that can be reached without a
 * door (an internal `require` of Node) must be guarded at the start.
 */

import { intercept, lock, lockAccessor } from './lock.ts';
import {
  apply,
  create,
  deleteProperty,
  each,
  get,
  getOwnPropertyDescriptor,
  ownKeys,
  SafeMap,
  SafeSet,
  stringIndexOf,
  stringSlice,
  theProcess,
} from './primordials.ts';
import type { Refusals } from './refusal.ts';

type Exports = Record<string, unknown>;
type Guard = (exports: Exports) => void;

/** They start other processes, load native code, open sockets behind the network guard, or show the inside of the process. */
const SHUT: readonly string[] = [
  'bench',
  'domain',
  'dtls',
  'ffi',
  'inspector',
  'inspector/promises',
  'quic',
  'repl',
  'sea',
  'sqlite',
  'test',
  'test/reporters',
  'trace_events',
  'vfs',
  'wasi',
];

export class Doors {
  readonly #refusals: Refusals;
  readonly #shut = new SafeSet<string>();
  readonly #guards = new SafeMap<string, (() => void)[]>();
  readonly #open = process.getBuiltinModule as (name: string) => Exports | undefined;
  readonly #module = process.getBuiltinModule('node:module');
  readonly #sync = this.#module.syncBuiltinESMExports;

  constructor(refusals: Refusals) {
    this.#refusals = refusals;
    for (const name of SHUT) this.#shut.add(name);
  }

  /** Runs `guard` on the first of these modules' exports before a plugin gets hold of any of them. */
  on(names: readonly string[], guard: Guard): void {
    let state: 'new' | 'running' | 'done' | 'broken' = 'new';
    const once = (): void => {
      // A module whose guard failed, because somebody had spoiled what it is made of, stays shut.
      if (state === 'broken') throw this.#refusals.error(`node:${names[0]}`, 'it could not be guarded');
      if (state !== 'new') return;
      state = 'running';
      let isGuarded = false;
      try {
        guard(apply(this.#open, theProcess, [names[0]]) as Exports);
        isGuarded = true;
      } finally {
        state = isGuarded ? 'done' : 'broken';
      }
    };
    for (const name of names) {
      const guards = this.#guards.get(name) ?? [];
      guards.push(once);
      this.#guards.set(name, guards);
    }
  }

  /** Throws for a module that stays shut. */
  open(name: string): void {
    const id = stringIndexOf(name, 'node:') === 0 ? stringSlice(name, 5) : name;
    if (this.#shut.has(id)) throw this.#refusals.error(`node:${id}`, 'it reaches beyond the plugin');
    const guards = this.#guards.get(id);
    if (guards === undefined) return;
    // Before they run: they open modules themselves.
    this.#guards.delete(id);
    let isGuarded = false;
    try {
      each(guards, (guard) => guard());
      isGuarded = true;
    } finally {
      if (!isGuarded) this.#guards.set(id, guards);
    }
    this.sync();
  }

  /**
   * A class of the globals behind which a whole module lies: opens its door first. Deleted before it is redefined, because to look at
   * such a property loads its module.
   */
  lazyClass(name: string, module: string, find: (exports: Exports) => unknown): void {
    deleteProperty(globalThis, name);
    lockAccessor(globalThis, name, {
      get: () => {
        this.open(module);
        return find(apply(this.#open, theProcess, [module]) as Exports);
      },
      set: () => undefined,
    });
  }

  /** What `import { name } from 'node:…'` gives follows the exports only when told to. */
  sync(): void {
    apply(this.#sync, undefined, []);
  }

  /** From here on every door asks first. The last step: hooks of others must be registered by now. */
  close(): void {
    this.#module.registerHooks({
      resolve: (specifier, context, next) => {
        const result = next(specifier, context);
        // The result, not the specifier: a bundle's "imports" map can give any name to a module of Node.
        if (stringIndexOf(result.url, 'node:') === 0) this.open(result.url);
        return result;
      },
    });
    const module = this.#module as unknown as Exports;
    for (const name of [
      'register',
      'registerHooks',
      'enableCompileCache',
      'flushCompileCache',
      '_preloadModules',
      'runMain',
    ]) {
      if (name in module)
        lock(module, name, this.#refusals.refuse(`module.${name}`, 'how modules are loaded is decided by the host'));
    }
    intercept(process, 'getBuiltinModule', (original, self, args) => {
      const name = args[0];
      if (typeof name === 'string') this.open(name);
      return apply(original, self as object, [name]);
    });
    intercept(module, '_load', (original, self, args) => {
      const options = plainOptions(args[3]);
      const filename = options?.resolved?.filename;
      if (typeof filename === 'string') this.open(filename);
      return apply(original, self as object, [args[0], args[1], args[2], options]);
    });
  }
}

interface LoadOptions {
  shouldSkipModuleHooks?: boolean;
  resolved?: { filename?: unknown };
}

/** The last argument of Module._load can say that hooks are to be skipped, or what a name resolves to: read once, and not believed. */
function plainOptions(given: unknown): LoadOptions | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const options = copy(given) as LoadOptions;
  if (typeof options.resolved === 'object' && options.resolved !== null) options.resolved = copy(options.resolved);
  options.shouldSkipModuleHooks = false;
  return options;
}

function copy(given: object): Record<PropertyKey, unknown> {
  const plain = create(null) as Record<PropertyKey, unknown>;
  each(ownKeys(given), (key) => {
    if (getOwnPropertyDescriptor(given, key)?.enumerable === true) plain[key] = get(given, key);
  });
  return plain;
}
