/** In good health, in ways that are rare: slow starts, long turns, large bursts, unusual forms of a plugin. Each emits all the while. */

import { type Body, group } from '../body.ts';

const LOOK = { watchMs: 4_000 } as const;

export const HEALTHY_RARE: readonly Body[] = group(
  'healthy',
  ['stays'],
  [
    [
      'slow-start',
      'takes nearly all of the time that it has to start',
      {
        initialize: (w) => w.sleep(700),
        start: (w) => w.sleep(700),
        run: (w) => w.beat(),
      },
      { watchMs: 4_000, limits: { startTimeout: '2s' } },
    ],
    [
      'blocking-start',
      'computes and reads while it starts, and answers nobody meanwhile',
      {
        start: () => {
          const text = JSON.stringify(Array.from({ length: 50_000 }, (_, id) => ({ id, name: `thing ${id}` })));
          const until = performance.now() + 1_300;
          while (performance.now() < until) JSON.parse(text);
        },
        run: (w) => w.beat(),
      },
      LOOK,
    ],
    [
      'own-rejections',
      'rejects and handles in every proper way: late in the same turn, by allSettled, race, any and finally',
      (w) => {
        w.beat();
        w.every(10, (n) => {
          const bad = Promise.reject(new Error(`number ${n}`));
          queueMicrotask(() => void bad.catch(() => undefined));
          void Promise.allSettled([Promise.reject(n), bad]);
          Promise.any([Promise.reject(n)]).catch(() => undefined);
          Promise.race([Promise.reject(n), w.sleep(5)]).catch(() => undefined);
          Promise.reject(n)
            .finally(() => undefined)
            .catch(() => undefined);
          w.ctx.emit({ type: 'undeclared', resourceName: 'thing', message: 'm' }).catch(() => undefined);
        });
      },
      { ...LOOK, rateLimit: { eventsPerSecond: 500 } },
    ],
    [
      'thousand-listeners',
      'has an EventTarget and an emitter with a thousand listeners each',
      async (w) => {
        w.beat();
        const { EventEmitter, setMaxListeners } = await import('node:events');
        const target = new EventTarget();
        const emitter = new EventEmitter().setMaxListeners(0);
        setMaxListeners(0, target);
        let heard = 0;
        const hear = (): number => (heard += 1);
        for (let n = 0; n < 1_000; n += 1) {
          target.addEventListener('tick', () => hear());
          emitter.on('tick', () => hear());
        }
        w.every(20, (n) => {
          target.dispatchEvent(new CustomEvent('tick', { detail: n }));
          emitter.emit('tick', n);
        });
      },
      LOOK,
    ],
    [
      'emit-bursts',
      'emits two thousand events at once and waits for all of them',
      async (w) => {
        for (let n = 0; ; n += 1) {
          const burst = Array.from({ length: 2_000 }, (_, i) => w.event(n * 2_000 + i));
          const receipts = await w.ctx.emitMany(burst);
          if (new Set(receipts.map(({ id }) => id)).size !== 2_000) throw new Error('an id came twice');
          await w.sleep(500);
        }
      },
      { watchMs: 6_000 },
    ],
    [
      'large-events',
      'emits events with large metadata, nested and in many languages',
      (w) => {
        const metadata = {
          text: 'ein Wört 語 🙂 '.repeat(200),
          list: Array.from({ length: 200 }, (_, n) => ({ n, name: `item ${n}` })),
        };
        w.beat();
        w.every(50, (n) => void w.ctx.emit({ ...w.event(n), metadata: { ...metadata, n }, reason: 'because' }));
      },
      LOOK,
    ],
    [
      'generators',
      'computes in generators of generators, a slice at a time',
      (w) => {
        w.beat();
        function* walk(depth: number): Generator<number> {
          yield depth;
          if (depth > 0) for (let n = 0; n < 3; n += 1) yield* walk(depth - 1);
        }
        let steps = walk(30);
        w.every(10, () => {
          for (let n = 0; n < 3_000; n += 1) if (steps.next().done === true) steps = walk(30);
        });
      },
      LOOK,
    ],
    [
      'short-waits',
      'stands still for 100 ms three times a second, in an atomic wait where it may have one',
      (w) => {
        w.beat();
        const memory = new w.wasm.Memory({ initial: 1, maximum: 1 }).buffer;
        w.every(330, () => {
          try {
            Atomics.wait(new Int32Array(memory), 0, 0, 100);
          } catch {
            const until = performance.now() + 100;
            while (performance.now() < until);
          }
        });
      },
      LOOK,
    ],
    [
      'second-file',
      'imports a second file of its bundle while it runs, a data URL and a module of Node',
      async (w) => {
        w.beat();
        const stage = await w.load('./stage.ts?again');
        const { default: value } = await w.load('data:text/javascript,export default 42');
        const { createRequire } = await import('node:module');
        const manifest = createRequire(import.meta.url)('./package.json') as { type: string };
        if (typeof stage.stage !== 'function' || value !== 42 || manifest.type !== 'module') throw new Error('misread');
      },
      LOOK,
    ],
    [
      'top-level-await',
      'awaits at the top of its module, and is a class with private members',
      "const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));\nawait sleep(300);\nconst { createHash } = await import('node:crypto');\nclass Own { #n = 0; #timer; start(ctx) { ctx.log.info('begins'); this.#timer = setInterval(() => ctx.emit({ type: 'happened', resourceName: createHash('md5').update(`${this.#n++}`).digest('hex'), message: 'm' }), 50); } async stop() { clearInterval(this.#timer); await sleep(50); } healthCheck() { return this.#n >= 0; } }\nexport default new Own();\n",
      LOOK,
    ],
    [
      'many-keys',
      'writes and reads JSON objects of a hundred thousand keys',
      (w) => {
        w.beat();
        const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`key-${n}`, n]));
        w.every(800, () => {
          const copy = JSON.parse(JSON.stringify(wide)) as Record<string, number>;
          if (copy['key-99999'] !== 99_999) throw new Error('misread');
        });
      },
      LOOK,
    ],
    [
      'caught-recursion',
      'recurses until the stack is full, and catches it',
      (w) => {
        w.beat();
        const deeper = (n: number): number => deeper(n + 1) + 1;
        w.every(50, () => {
          try {
            deeper(0);
          } catch (error) {
            if (!(error instanceof RangeError)) throw error;
          }
        });
      },
      LOOK,
    ],
    [
      'heavy-regexp',
      'matches heavy patterns against a megabyte of text',
      (w) => {
        w.beat();
        const text = Array.from(
          { length: 20_000 },
          (_, n) => `2026-01-01T00:00:00Z level=info id=${n} msg="hello"`,
        ).join('\n');
        w.every(500, () => {
          const found = [...text.matchAll(/^(\S+) level=(\w+) id=(\d+)\s+msg="([^"]*)"$/gm)];
          if (found.length !== 20_000 || text.replaceAll(/\d{2,}/g, '#').length === 0) throw new Error('misread');
        });
      },
      LOOK,
    ],
    [
      'big-parse',
      'parses a document of 40 MB with many small objects, with a limit that fits',
      (w) => {
        w.beat();
        const piece = JSON.stringify(Array.from({ length: 4_000 }, (_, id) => ({ id, name: `thing ${id}`, on: true })));
        const text = `[${Array.from({ length: 240 }, () => piece).join(',')}]`;
        w.every(3_000, () => {
          if ((JSON.parse(text) as unknown[]).length !== 240) throw new Error('misread');
        });
      },
      { watchMs: 8_000, limits: { memoryMb: 512, hangTimeout: '5s' } },
    ],
    [
      'own-channel',
      'speaks to itself over a MessageChannel, and uses performance marks that it clears',
      (w) => {
        w.beat();
        const { port1, port2 } = new MessageChannel();
        let heard = 0;
        port2.onmessage = () => {
          heard += 1;
        };
        w.every(5, (n) => {
          performance.mark('turn');
          for (let i = 0; i < 50; i += 1) port1.postMessage({ n, i, text: 'hello' });
          performance.measure('turn', 'turn');
          performance.clearMarks();
          performance.clearMeasures();
          if (n > 400 && heard === 0) throw new Error('nothing was heard');
        });
      },
      LOOK,
    ],
  ],
);
