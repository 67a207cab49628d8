/** Public functions with what nobody gives them, and natives that recurse, reserve or keep stacks: each has ended a process somewhere. */

import { type Body, group } from '../body.ts';

const HELD = ['denied', 'recycled:crash', 'recycled:leak', 'recycled:out_of_memory', 'recycled:hang'] as const;
const LONG = { watchMs: 12_000 } as const;

export const ABORT_RARE: readonly Body[] = group('abort', HELD, [
  [
    'wait-on-stacks',
    'calls WebAssembly that waits for ever, each call on a stack of its own, a hundred thousand times',
    async (w) => {
      await w.attempt('waiting calls', () => {
        const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 7, 1, 1, 97, 1, 98, 0, 0, 3, 2, 1, 0];
        bytes.push(7, 5, 1, 1, 99, 0, 1, 10, 6, 1, 4, 0, 16, 0, 11);
        const make = (what: string, ...args: unknown[]): object =>
          Reflect.construct(w.get(w.wasm, what) as new () => object, args);
        const module = make('Module', new Uint8Array(bytes));
        const instance = make('Instance', module, { a: { b: make('Suspending', () => new Promise(() => undefined)) } });
        const call = w.call(w.wasm, 'promising', w.get(w.get(instance, 'exports'), 'c')) as () => Promise<unknown>;
        let refused = 0;
        const count = (): void => {
          refused += 1;
        };
        for (let n = 0; n < 100_000; n += 1) call().catch(count);
        return w.sleep(500).then(() => refused < 99_000 && `${refused} of them were refused`);
      });
    },
    { quick: true },
  ],
  [
    'clone-growing',
    'clones buffers that may grow, each of which reserves addresses, until there are none left',
    async (w) => {
      const kept: unknown[] = [];
      await w.attempt('clones', async () => {
        const model = new ArrayBuffer(1, { maxByteLength: 65_536 });
        for (let n = 0; n < 40_000; n += 1) {
          kept.push(structuredClone(model));
          if (n % 500 === 0) await w.sleep(1);
        }
        return null;
      });
      await w.sleep(3_000);
    },
    { ...LONG, expect: { thread: ['host died', ...HELD], process: [...HELD, 'recycled:exited'] } },
  ],
  [
    'odd-clones',
    'clones, transfers and reads back everything that can be cloned, in ways that nobody does',
    async (w) => {
      const crypto = await import('node:crypto');
      const net = await import('node:net');
      const { createHistogram } = await import('node:perf_hooks');
      const { open } = await import('node:fs/promises');
      const { transferableAbortSignal } = await import('node:util');
      const { port1, port2 } = new MessageChannel();
      const things: Record<string, unknown> = {
        blob: new Blob(['x']),
        file: new File(['x'], 'name'),
        histogram: createHistogram(),
        key: crypto.createSecretKey(Buffer.alloc(16)),
        'web key': await crypto.webcrypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']),
        'private key': crypto.generateKeyPairSync('ed25519').privateKey,
        'block list': new net.BlockList(),
        address: new net.SocketAddress({}),
        exception: new DOMException('x'),
        signal: transferableAbortSignal(AbortSignal.timeout(50)),
        readable: new ReadableStream(),
        writable: new WritableStream(),
        transform: new TransformStream(),
        port: port1,
        'file handle': await open(new URL(import.meta.url)),
        growing: new ArrayBuffer(1, { maxByteLength: 9 }),
        socket: new net.Socket(),
        wasm: new w.wasm.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
        memory: new w.wasm.Memory({ initial: 1, maximum: 2 }),
        process: globalThis.process,
        global: globalThis,
      };
      for (const [name, thing] of Object.entries(things)) {
        const ways: (() => unknown)[] = [
          () => structuredClone(thing),
          () => structuredClone([thing, thing, { thing }]),
          () => structuredClone(thing, { transfer: [thing as never] }),
          () => structuredClone(thing, { transfer: [thing as never, thing as never] }),
          () => structuredClone(new Proxy(thing as object, {})),
          () => structuredClone(Object.create(thing as object)),
          () => port2.postMessage(thing, [thing as never]),
          () => w.call(thing, 'close'),
        ];
        await w.attempt(name, async () => {
          for (const way of ways) {
            try {
              await way();
            } catch {}
          }
          return null;
        });
      }
    },
  ],
  [
    'read-spoiled',
    'reads back a hundred thousand serialised values in which bytes were changed',
    async (w) => {
      const v8 = await import('node:v8');
      const { inspect } = await import('node:util');
      await w.attempt('spoiled values', async () => {
        const parts = [new Map([[1, new Set([2])]]), /x/g, new Date(), 10n ** 30n, new Uint8Array(9), new Error('e')];
        const sound = v8.serialize({ parts, text: 'é☃', growing: new ArrayBuffer(3, { maxByteLength: 9 }) });
        for (let n = 0; n < 100_000; n += 1) {
          const bytes = Buffer.from(sound);
          for (let k = 0; k < 1 + (n % 4); k += 1) bytes[2 + ((n * 7_919 + k * 31) % (bytes.length - 2))] = n * 37 + k;
          try {
            inspect(v8.deserialize(bytes));
          } catch {}
          if (n % 500 === 0) await w.sleep(0);
        }
        return null;
      });
    },
    LONG,
  ],
  [
    'deep-natives',
    'nests by the hundred thousand what is looked through by recursion',
    async (w) => {
      const { inspect } = await import('node:util');
      const v8 = await import('node:v8');
      const vm = await import('node:vm');
      const nest = <T>(depth: number, first: T, wrap: (inner: T) => T): T => {
        let made = first;
        for (let n = 0; n < depth; n += 1) made = wrap(made);
        return made;
      };
      const plain = (): object => nest(200_000, {}, (inner) => ({ inner }));
      const proxies = (): object => nest(200_000, {}, (inner) => new Proxy(inner, {}));
      const errors = (): Error => nest(20_000, new Error('e'), (cause) => new Error('e', { cause }));
      const bound = (): (() => void) =>
        nest(
          200_000,
          () => undefined,
          (inner) => inner.bind(null) as () => undefined,
        );
      const deeds: Record<string, () => unknown> = {
        'objects cloned': () => structuredClone(plain()),
        'objects serialised': () => v8.serialize(plain()),
        'objects as JSON': () => JSON.stringify(plain()),
        'objects shown': () => inspect(plain(), { depth: Infinity }),
        'values read': () => v8.deserialize(Buffer.concat([Buffer.from([0xff, 0x0f]), Buffer.alloc(1_000_000, 0x6f)])),
        'proxies asked': () => w.get(proxies(), 'x'),
        'proxies as JSON': () => JSON.stringify(proxies()),
        'proxies shown': () => inspect(proxies(), { showProxy: true, depth: Infinity }),
        'errors cloned': () => structuredClone(errors()),
        'errors shown': () => inspect(errors()),
        'functions called': () => bound()(),
        'functions asked': () => ({}) instanceof (bound() as never),
        'functions built': () => Reflect.construct(Array, [], bound() as never),
        lists: () => new vm.Script('['.repeat(500_000)),
        arrows: () => new vm.Script(`${'a=>'.repeat(100_000)}1`),
        groups: () => new RegExp('(?:'.repeat(500_000)),
        'look behinds': () => new RegExp('(?<='.repeat(20_000) + ')'.repeat(20_000)).test('a'),
        classes: () => new RegExp('['.repeat(50_000) + ']'.repeat(50_000), 'v').test('b'),
        'patterns of URLs': () => new URLPattern({ pathname: '{'.repeat(100_000) }),
        types: () => w.load('node:module').then((m) => w.call(m, 'stripTypeScriptTypes', '('.repeat(100_000))),
      };
      for (const [name, deed] of Object.entries(deeds)) {
        await w.attempt(name, async () => {
          await deed();
          return null;
        });
      }
    },
    { ...LONG, limits: { memoryMb: 512 } },
  ],
  [
    'nested-blobs',
    'makes a Blob of a Blob two hundred thousand times, reads it, and drops it',
    async (w) => {
      await w.attempt('a deep Blob', async () => {
        let blob = new Blob(['x']);
        for (let n = 0; n < 200_000; n += 1) {
          blob = new Blob([blob]);
          if (n % 2_000 === 0) await w.sleep(0);
        }
        return (await blob.text()) !== 'x';
      });
      await w.sleep(1_000);
    },
    { ...LONG, expect: [...HELD, 'stays'] },
  ],
]);
