import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import type { Problem } from '../../../host/config/problem.ts';
import { DEFAULT_SETTINGS, parseSettings, type Settings, settingsSchema } from '../../../host/config/settings.ts';

const PLACE = { file: 'plugins.yaml', document: null, basePath: ['settings'], subject: '' };

function parsed(raw: unknown): { settings: Settings; problems: readonly Problem[] } {
  return parseSettings(raw, PLACE);
}

/** Every setting with a value that is not its default. */
const FLIPPED = {
  pluginDirectory: '/opt/khook/plugins',
  maxPlugins: 11,
  loadTimeout: '31s',
  healthCheckInterval: '60s',
  shutdownGrace: '9s',
  dedup: { window: '1m' },
  bus: { creditEvents: 8, creditBytes: '1MiB' },
  matcher: { threads: 2, frameTimeout: '2s', maxPromptLength: 1_000 },
  delivery: {
    attempts: 5,
    initialBackoff: '10ms',
    maxBackoff: '1m30s',
    timeout: '60s',
    taskTimeout: '1h',
    concurrencyPerAgent: 1,
    queueLimit: 5,
    queueBytes: '1MiB',
    whenFull: 'block',
    maxAge: '1h',
    durability: 'machine',
  },
  deadLetters: { maxCount: 5, maxBytes: '1MiB', maxAge: '24h' },
  trail: { maxEvents: 5, maxBytes: '1MiB' },
  archives: { maxSize: '2MiB', maxFileSize: '1MiB' },
};

test('settings: nothing written gives the defaults, frozen', () => {
  for (const raw of [undefined, null, {}, { dedup: null, delivery: {} }]) {
    assert.deepEqual(parsed(raw), { settings: DEFAULT_SETTINGS, problems: [] });
  }
  assert.ok(Object.isFrozen(DEFAULT_SETTINGS) && Object.isFrozen(DEFAULT_SETTINGS.delivery));
  assert.equal(DEFAULT_SETTINGS.dedup.windowMs, 600_000);
  assert.equal(DEFAULT_SETTINGS.bus.creditBytes, 4 * 1024 * 1024);
  assert.equal(DEFAULT_SETTINGS.loadTimeoutMs, 30_000);
});

test('settings: each one has an effect on the parsed form', () => {
  const leaves = (value: object, path: string[] = []): string[][] =>
    Object.entries(value).flatMap(([key, item]) =>
      typeof item === 'object' ? leaves(item, [...path, key]) : [[...path, key]],
    );
  const written = leaves(settingsSchema.parse({}));
  assert.deepEqual(leaves(FLIPPED).map(String).sort(), written.map(String).sort(), 'the list above is complete');
  for (const path of leaves(FLIPPED)) {
    const value = path.reduce<unknown>((held, key) => Reflect.get(held as object, key), FLIPPED);
    const raw = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    const { settings, problems } = parsed(raw);
    assert.deepEqual(problems, [], path.join('.'));
    assert.notDeepEqual(settings, DEFAULT_SETTINGS, path.join('.'));
  }
});

test('settings: each one is described', () => {
  const described = (node: z.core.JSONSchema.JSONSchema, path: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      assert.equal(typeof child, 'object');
      if (typeof child !== 'object') continue;
      assert.ok(child.description, `${path}${key}`);
      described(child, `${path}${key}.`);
    }
  };
  described(z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' }), '');
});

test('settings: a wrong one is reported and has its default, the others count', () => {
  const { settings, problems } = parsed({
    maxPlugins: 0,
    loadTimeout: '45s',
    delivery: { timeout: 5, attempts: 7 },
    maxPlugin: 3,
  });
  assert.deepEqual(settings, {
    ...DEFAULT_SETTINGS,
    loadTimeoutMs: 45_000,
    delivery: { ...DEFAULT_SETTINGS.delivery, attempts: 7 },
  });
  assert.deepEqual(problems.map(({ path, message }) => `${path}: ${message}`).sort(), [
    "settings.delivery.timeout: configuration 'delivery.timeout' must be a duration such as 30s or 1m30s, got '5'",
    'settings.maxPlugin: unknown configuration key: maxPlugin',
    "settings.maxPlugins: configuration 'maxPlugins' must be between 1 and 1000, got 0",
  ]);
});

test('settings: something that is no object gives the defaults and a problem', () => {
  for (const raw of ['x', [], 7]) {
    const { settings, problems } = parsed(raw);
    assert.deepEqual(settings, DEFAULT_SETTINGS);
    assert.equal(problems.length, 1);
  }
});

test('settings: back-offs that contradict each other are a conflict', () => {
  const { settings, problems } = parsed({ delivery: { initialBackoff: '1m', maxBackoff: '10s' } });
  assert.equal(problems[0]?.code, 'HOST_ERR_CONFIG_CONFLICT');
  assert.equal(settings.delivery.maxBackoffMs, 60_000);
});
