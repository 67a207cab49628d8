/** The plan of the house, held against the code: which room may import which, who alone may use a library, how large a file may be. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type SourceFile, sourceFiles, targetOf } from './support/source-files.ts';

/** Of which snapshots are made. */
const SEEN_ROOMS = [
  'base',
  'config',
  'ledger',
  'sandbox',
  'bus',
  'supervision',
  'match',
  'dispatch',
  'cluster',
  'telemetry',
  'http',
];

/** Room → floor, and the rooms that it may import. A file belongs to the longest prefix. */
const ROOMS: Readonly<Record<string, { readonly floor: number; readonly imports: readonly string[] }>> = {
  'ipc/': { floor: 0, imports: [] },
  'host/base/': { floor: 1, imports: ['ipc/'] },
  'host/config/': { floor: 1, imports: ['ipc/', 'host/base/'] },
  'host/ledger/': { floor: 1, imports: ['ipc/', 'host/base/', 'host/config/'] },
  'host/sandbox/': { floor: 2, imports: ['ipc/', 'host/base/', 'host/config/', 'host/ledger/'] },
  'host/bus/': { floor: 3, imports: ['ipc/', 'host/base/', 'host/config/', 'host/ledger/'] },
  'host/supervision/': { floor: 3, imports: ['ipc/', 'host/base/', 'host/config/', 'host/ledger/', 'host/sandbox/'] },
  'host/profile/': { floor: 3, imports: ['ipc/', 'host/base/', 'host/sandbox/profile.ts'] },
  'host/match/': { floor: 4, imports: ['ipc/', 'host/base/', 'host/config/', 'host/ledger/'] },
  'host/dispatch/': {
    floor: 5,
    imports: ['ipc/', 'host/base/', 'host/config/', 'host/ledger/', 'host/match/verdict.ts'],
  },
  'host/cluster/': {
    floor: 5,
    imports: ['ipc/', 'host/base/', 'host/config/', 'host/ledger/', 'host/match/verdict.ts'],
  },
  'host/telemetry/': {
    floor: 6,
    imports: [
      'ipc/',
      'host/base/',
      'host/config/',
      'host/ledger/',
      ...eventTypesOf('sandbox', 'supervision', 'bus', 'match', 'dispatch', 'cluster'),
    ],
  },
  'host/http/': { floor: 7, imports: ['ipc/', 'host/base/', 'host/config/', 'host/ledger/', 'host/telemetry/'] },
  // Recorded events, judged and dispatched in virtual time by the code of those rooms.
  'host/replay/': {
    floor: 6,
    imports: ['ipc/', 'host/base/', 'host/config/', 'host/match/', 'host/dispatch/'],
  },
  // What people see of the rooms: reads them, and is read by the HTTP room.
  'host/snapshots/': {
    floor: 7,
    imports: ['ipc/', ...SEEN_ROOMS.map((room) => `host/${room}/`), 'host/replay/recording-line.ts'],
  },
  // What is wrong, out of what is seen: pure but for what it asks the system and the cluster.
  'host/doctor/': {
    floor: 7,
    imports: ['ipc/', ...SEEN_ROOMS.map((room) => `host/${room}/`), 'host/replay/', 'host/snapshots/'],
  },
  // Wiring: imports every room below.
  'host/': { floor: 8, imports: ['ipc/', 'host/'] },
  'host/commands/': { floor: 9, imports: ['ipc/', 'host/'] },
  'host/cli.ts': { floor: 9, imports: ['ipc/', 'host/'] },
  // The corpus of misbehaving plugins is measured and soaked as it is tested.
  'bench/': { floor: 10, imports: ['ipc/', 'host/', 'test/corpus/', 'test/support/'] },
  'scripts/': { floor: 10, imports: ['ipc/', 'host/', 'test/corpus/', 'test/support/'] },
};

/** Module → the only files that may import it. */
const SINGLE_IMPORTERS: Readonly<Record<string, readonly RegExp[]>> = {
  comlink: [/^ipc\/remote\.ts$/],
  piscina: [/^host\/match\/pool\.ts$/],
  pino: [/^host\/telemetry\//],
  'pino-pretty': [/^host\/telemetry\//],
  'prom-client': [/^host\/telemetry\//],
  '@kubernetes/client-node': [/^host\/cluster\//],
  '@a2a-js/sdk': [/^host\/dispatch\//],
  cockatiel: [/^host\/dispatch\//],
  '@marcbachmann/cel-js': [/^host\/match\/filter(?:-regex)?\.ts$/],
  re2js: [/^host\/match\/filter-regex\.ts$/],
  'tar-stream': [/^host\/config\/archive-stream\.ts$/, /^host\/commands\/doctor-bundle\.ts$/],
  zod: [/^host\//, /^scripts\/crd\//],
  'node:ffi': [/^host\/sandbox\/allocator\.ts$/],
  'node:sqlite': [/^host\/dispatch\//],
  'pprof-format': [/^host\/profile\//],
  'node:worker_threads': [
    /^ipc\/port/,
    /^ipc\/runtime\//,
    /^host\/sandbox\//,
    /^host\/profile\//,
    /^host\/replay\/inquiry/,
    /^bench\//,
  ],
};

/** Words that belong to one place. */
const SINGLE_USERS: readonly { readonly what: RegExp; readonly where: RegExp }[] = [
  { what: /\bprocess\.env\b/, where: /^(host\/config\/(host-)?environment\.ts|plugins\/|bench\/|scripts\/)/ },
  {
    what: /\b(?:setTimeout|setInterval|Date\.now|performance\.now)\(|new Date\(\)/,
    // host-watch.ts starts a thread from text, which cannot import the clock.
    where: /^(ipc\/clock\.ts|ipc\/runtime\/host-watch\.ts|plugins\/|bench\/|scripts\/)/,
  },
];

const files = sourceFiles();
const MAX_LINES = 300;
const MAX_APP_LINES = 200;

describe('architecture', () => {
  it('sees the files of every room', () => {
    for (const room of Object.keys(ROOMS)) {
      assert.ok(
        files.some((file) => roomOf(file.path) === room),
        `no file of ${room} was read`,
      );
    }
  });

  it('keeps files small', () => {
    const large = files.filter(({ path, lines }) => lines > (path === 'host/app.ts' ? MAX_APP_LINES : MAX_LINES));
    assert.deepEqual(
      large.map(({ path, lines }) => `${path}: ${lines} lines`),
      [],
    );
  });

  it('lets arrows point down only, and only where the plan has one', () => {
    assert.deepEqual(files.flatMap(forbiddenArrows), []);
  });

  it('has no circle of imports', () => {
    assert.deepEqual(circles(files), []);
  });

  it('gives plugins nothing of khook but khook/plugin', () => {
    const strangers = files
      .filter(({ path }) => path.startsWith('plugins/'))
      .flatMap((file) =>
        file.imports.filter((name) => !isOfBundle(file.path, name)).map((name) => `${file.path} → ${name}`),
      );
    assert.deepEqual(strangers, []);
  });

  for (const [library, importers] of Object.entries(SINGLE_IMPORTERS)) {
    it(`lets ${library} be imported in its place alone`, () => {
      const strangers = files.filter(
        (file) =>
          !file.path.startsWith('plugins/') &&
          file.imports.some((name) => name === library || name.startsWith(`${library}/`)) &&
          !importers.some((importer) => importer.test(file.path)),
      );
      assert.deepEqual(
        strangers.map(({ path }) => path),
        [],
      );
    });
  }

  it('keeps time, timers and the environment in one place each', () => {
    const strangers = SINGLE_USERS.flatMap(({ what, where }) =>
      files
        .filter(({ path, text }) => what.test(text) && !where.test(path))
        .map(({ path }) => `${path}: ${what.source}`),
    );
    assert.deepEqual(strangers, []);
  });

  it('finds a wrong arrow, a stranger and a circle when there is one', () => {
    const file = (path: string, ...imports: string[]): SourceFile => ({ path, imports, text: '', lines: 1 });
    assert.deepEqual(forbiddenArrows(file('ipc/port.ts', '../host/base/emitter.ts')), [
      'ipc/port.ts → host/base/emitter.ts',
    ]);
    assert.deepEqual(forbiddenArrows(file('host/bus/bus.ts', '../supervision/events.ts')), [
      'host/bus/bus.ts → host/supervision/events.ts',
    ]);
    assert.equal(circles([file('a.ts', './b.ts'), file('b.ts', './a.ts')]).length, 1);
    assert.equal(isOfBundle('plugins/webhook/index.ts', '../../ipc/event.ts'), false);
  });
});

function eventTypesOf(...rooms: string[]): string[] {
  const types = rooms.map((room) => `host/${room}/events.ts`);
  return [
    ...types,
    'host/sandbox/exit.ts',
    'host/supervision/state.ts',
    'host/dispatch/delivery.ts',
    'host/match/verdict.ts',
  ];
}

function roomOf(path: string): string | null {
  const rooms = Object.keys(ROOMS).filter((room) => path.startsWith(room));
  return rooms.sort((a, b) => b.length - a.length)[0] ?? null;
}

function forbiddenArrows(file: SourceFile): string[] {
  const room = roomOf(file.path);
  if (room === null) return [];
  return file.imports.flatMap((specifier) => {
    const target = targetOf(file.path, specifier);
    if (target === null || !target.endsWith('.ts')) return [];
    const isAtHome = roomOf(target) === room;
    const isPlanned = ROOMS[room]?.imports.some((allowed) => target.startsWith(allowed)) ?? false;
    const isDown = (ROOMS[roomOf(target) ?? '']?.floor ?? 0) <= (ROOMS[room]?.floor ?? 0);
    return isAtHome || (isPlanned && isDown) ? [] : [`${file.path} → ${target}`];
  });
}

function isOfBundle(path: string, specifier: string): boolean {
  if (specifier === 'khook/plugin' || specifier.startsWith('node:')) return true;
  const target = targetOf(path, specifier);
  return target === null ? false : target.startsWith(path.split('/', 2).join('/'));
}

function circles(all: readonly SourceFile[]): string[] {
  const byPath = new Map(all.map((file) => [file.path, file]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    const file = byPath.get(path);
    if (file === undefined || done.has(path)) return;
    for (const specifier of file.imports) {
      const target = targetOf(path, specifier);
      if (target !== null) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of all) visit(path, []);
  return found;
}
