/** The `settings` block of plugins.yaml: the names users know outside, units in the names inside, the defaults here and only here. */

import * as z from 'zod';
import { formatPath, type Place, problemAt, type YamlPath } from './place.ts';
import type { Problem } from './problem.ts';
import { byteSize, durationMs, formatDuration } from './units.ts';
import { checkWithPaths } from './zod-problems.ts';

export interface Settings {
  readonly pluginDirectory: string;
  readonly maxPlugins: number;
  readonly loadTimeoutMs: number;
  readonly healthCheckIntervalMs: number;
  readonly shutdownGraceMs: number;
  readonly dedup: { readonly windowMs: number };
  readonly bus: { readonly creditEvents: number; readonly creditBytes: number };
  readonly matcher: { readonly threads: number; readonly frameTimeoutMs: number; readonly maxPromptLength: number };
  readonly delivery: {
    readonly attempts: number;
    readonly initialBackoffMs: number;
    readonly maxBackoffMs: number;
    readonly timeoutMs: number;
    readonly taskTimeoutMs: number;
    readonly concurrencyPerAgent: number;
    readonly queueLimit: number;
    readonly queueBytes: number;
    readonly whenFull: 'dead_letter' | 'block';
    readonly maxAgeMs: number;
    readonly durability: 'process' | 'machine';
  };
  readonly deadLetters: { readonly maxCount: number; readonly maxBytes: number; readonly maxAgeMs: number };
  readonly trail: { readonly maxEvents: number; readonly maxBytes: number };
  readonly archives: { readonly maxBytes: number; readonly maxFileBytes: number };
}

interface Bounds<Value> {
  readonly default: Value;
  readonly min: Value;
  readonly max: Value;
}

// Return types are inferred: a named one would lose that the key may be left out.
const count = (bounds: Bounds<number>) => z.int().min(bounds.min).max(bounds.max).prefault(bounds.default);
const duration = (bounds: Bounds<string>) => durationMs(bounds).prefault(bounds.default);
const size = (bounds: Bounds<string>) => byteSize(bounds).prefault(bounds.default);

const dedup = z.strictObject({
  window: duration({ default: '10m', min: '1ms', max: '168h' }).describe(
    'After a firing, equal ones within it are duplicates.',
  ),
});

const bus = z.strictObject({
  creditEvents: count({ default: 4_096, min: 1, max: 1_000_000 }).describe(
    'Events a plugin may have sent and not yet settled.',
  ),
  creditBytes: size({ default: '4MiB', min: '128KiB', max: '1GiB' }).describe('The same in bytes.'),
});

const matcher = z.strictObject({
  threads: count({ default: 1, min: 1, max: 64 }).describe('Threads that map and match events.'),
  frameTimeout: duration({ default: '1s', min: '10ms', max: '1m' }).describe(
    'Time for one event; one that takes longer is set aside as invalid.',
  ),
  maxPromptLength: count({ default: 32_768, min: 256, max: 1_048_576 }).describe(
    'Characters of a rendered prompt; the rest is cut.',
  ),
});

const delivery = z.strictObject({
  attempts: count({ default: 3, min: 1, max: 100 }).describe(
    'Calls that reach an agent before the firing is dead-lettered; one that is down is called until maxAge.',
  ),
  initialBackoff: duration({ default: '1s', min: '1ms', max: '1h' }).describe(
    'Longest delay before the second attempt.',
  ),
  maxBackoff: duration({ default: '30s', min: '1ms', max: '24h' }).describe('Longest delay before any attempt.'),
  timeout: duration({ default: '120s', min: '10ms', max: '300s' }).describe('Time for one HTTP call of an agent.'),
  taskTimeout: duration({ default: '30m', min: '10ms', max: '24h' }).describe("How long an agent's task is followed."),
  concurrencyPerAgent: count({ default: 4, min: 1, max: 1_000 }).describe('Deliveries to one agent at a time.'),
  queueLimit: count({ default: 10_000, min: 1, max: 1_000_000 }).describe(
    'Firings that may wait for their agents; whenFull says what becomes of more.',
  ),
  queueBytes: size({ default: '256MiB', min: '64KiB', max: '16GiB' }).describe('The same in bytes.'),
  whenFull: z
    .enum(['dead_letter', 'block'])
    .prefault('dead_letter')
    .describe(
      'A firing for which there is no room is dead-lettered; or its source waits, however long the agent does not work.',
    ),
  maxAge: duration({ default: '168h', min: '10ms', max: '8760h' }).describe(
    'How long a firing may wait for an agent that does not take it; then it is dead-lettered.',
  ),
  durability: z
    .enum(['process', 'machine'])
    .prefault('process')
    .describe(
      'What an accepted firing survives: the end of the process, or of the machine too, which costs a disk flush.',
    ),
});

const deadLetters = z.strictObject({
  maxCount: count({ default: 10_000, min: 1, max: 1_000_000 }).describe(
    'Dead letters that are kept; past it the oldest are forgotten.',
  ),
  maxBytes: size({ default: '256MiB', min: '64KiB', max: '16GiB' }).describe('The same in bytes.'),
  maxAge: duration({ default: '720h', min: '10ms', max: '87600h' }).describe('How long a dead letter is kept.'),
});

const trail = z.strictObject({
  maxEvents: count({ default: 10_000, min: 1, max: 1_000_000 }).describe(
    'Events of which the read API can tell the way.',
  ),
  maxBytes: size({ default: '32MiB', min: '64KiB', max: '4GiB' }).describe('The same in bytes.'),
});

const archives = z.strictObject({
  maxSize: size({ default: '128MiB', min: '1KiB', max: '4GiB' }).describe(
    'Bytes of a bundle that comes as an archive, and of the archive itself.',
  ),
  maxFileSize: size({ default: '32MiB', min: '1KiB', max: '4GiB' }).describe('Bytes of one file in it.'),
});

/** As written in YAML. */
export const settingsSchema = z.strictObject({
  pluginDirectory: z.string().min(1).max(4_096).prefault('plugins').describe('Folder with the plugin bundles.'),
  maxPlugins: count({ default: 10, min: 1, max: 1_000 }).describe('How many plugins may be enabled.'),
  loadTimeout: duration({ default: '30s', min: '10ms', max: '10m' }).describe("Default of a plugin's startTimeout."),
  healthCheckInterval: duration({ default: '30s', min: '10ms', max: '1h' }).describe(
    'Time between two health checks of a plugin.',
  ),
  shutdownGrace: duration({ default: '10s', min: '10ms', max: '10m' }).describe(
    'From the signal to the exit, all steps together; keep it below terminationGracePeriodSeconds of the pod.',
  ),
  dedup: dedup.prefault({}).describe('When a firing is a duplicate.'),
  bus: bus.prefault({}).describe('How much of one plugin may be on its way.'),
  matcher: matcher.prefault({}).describe('The threads that judge events.'),
  delivery: delivery.prefault({}).describe('How agents are called.'),
  deadLetters: deadLetters.prefault({}).describe('What is kept of firings that no agent took.'),
  trail: trail.prefault({}).describe('How much is remembered of events.'),
  archives: archives.prefault({}).describe('How large a bundle may be that comes as an archive (.tgz).'),
});

export const DEFAULT_SETTINGS: Settings = toSettings(settingsSchema.parse({}));

/**
 * A setting that is wrong is reported and has its default. `raw` undefined or null: all defaults.
 * `unset`: formatted paths of settings whose variable is missing; they have their defaults and were reported already.
 */
export function parseSettings(
  raw: unknown,
  place: Place,
  unset: ReadonlySet<string> = new Set(),
): { settings: Settings; problems: readonly Problem[] } {
  const written = withoutUnset(raw ?? {}, place.basePath, unset);
  const first = checkWithPaths(settingsSchema, written, place);
  if (first.kind === 'ok') return settle(first.value, place, []);
  const problems = first.found.map(({ problem }) => problem);
  let mended = written;
  for (const { path } of first.found) mended = without(mended, path);
  const second = settingsSchema.safeParse(mended);
  return second.success ? settle(second.data, place, problems) : { settings: DEFAULT_SETTINGS, problems };
}

function settle(
  written: z.output<typeof settingsSchema>,
  place: Place,
  problems: readonly Problem[],
): ReturnType<typeof parseSettings> {
  const { initialBackoff, maxBackoff } = written.delivery;
  if (initialBackoff <= maxBackoff) return { settings: toSettings(written), problems };
  const conflict = problemAt(place, ['delivery', 'initialBackoff'], {
    code: 'HOST_ERR_CONFIG_CONFLICT',
    message: `configuration 'delivery.initialBackoff' (${formatDuration(initialBackoff)}) must not be longer than 'delivery.maxBackoff' (${formatDuration(maxBackoff)})`,
    fix: 'the longer one is used for both; change one of them',
  });
  const delivery = { ...written.delivery, maxBackoff: initialBackoff };
  return { settings: toSettings({ ...written, delivery }), problems: [...problems, conflict] };
}

function toSettings(written: z.output<typeof settingsSchema>): Settings {
  const { loadTimeout, healthCheckInterval, shutdownGrace, pluginDirectory, maxPlugins, bus, trail, archives } =
    written;
  const { frameTimeout, threads, maxPromptLength } = written.matcher;
  const { initialBackoff, maxBackoff, timeout, taskTimeout, maxAge, ...delivery } = written.delivery;
  return Object.freeze({
    pluginDirectory,
    maxPlugins,
    loadTimeoutMs: loadTimeout,
    healthCheckIntervalMs: healthCheckInterval,
    shutdownGraceMs: shutdownGrace,
    dedup: Object.freeze({ windowMs: written.dedup.window }),
    bus: Object.freeze({ ...bus }),
    matcher: Object.freeze({ threads, frameTimeoutMs: frameTimeout, maxPromptLength }),
    delivery: Object.freeze({
      ...delivery,
      initialBackoffMs: initialBackoff,
      maxBackoffMs: maxBackoff,
      timeoutMs: timeout,
      taskTimeoutMs: taskTimeout,
      maxAgeMs: maxAge,
    }),
    deadLetters: Object.freeze({
      maxCount: written.deadLetters.maxCount,
      maxBytes: written.deadLetters.maxBytes,
      maxAgeMs: written.deadLetters.maxAge,
    }),
    trail: Object.freeze({ ...trail }),
    archives: Object.freeze({ maxBytes: archives.maxSize, maxFileBytes: archives.maxFileSize }),
  });
}

/** `dedup:` with nothing behind it is the block with all its defaults, and so is a setting whose variable is missing. */
function withoutUnset(raw: unknown, path: YamlPath, unset: ReadonlySet<string>): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return unset.has(formatPath(path)) ? {} : raw;
  const kept = Object.entries(raw).filter(([key, value]) => value !== null && !unset.has(formatPath([...path, key])));
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutUnset(value, [...path, key], unset)]));
}

function without(value: unknown, [step, ...rest]: YamlPath): unknown {
  if (step === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  const { [step]: inner, ...others } = value as Record<string, unknown>;
  return rest.length === 0 || inner === undefined ? others : { ...others, [step]: without(inner, rest) };
}
