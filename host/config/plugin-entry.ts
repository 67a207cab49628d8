/** One entry of `plugins:` in plugins.yaml. An enabled one is checked in full; one that is switched off for its shape only. */

import * as z from 'zod';
import { expandVariables, hasPlaceholder, readScalar, type Variables } from './expand.ts';
import { limitsSchema } from './limits-schema.ts';
import type { PluginLimits, RateLimit } from './permissions.ts';
import { permissionsSchema, type WrittenPermissions } from './permissions-schema.ts';
import { type Place, valueAt, type YamlPath } from './place.ts';
import type { Problem } from './problem.ts';
import type { YamlDocument } from './yaml-file.ts';
import { checkConfig } from './zod-problems.ts';

export interface PluginEntry {
  readonly name: string;
  readonly enabled: boolean;
  readonly required: boolean;
  /** As written, variables expanded, not yet checked against the manifest's schema. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly permissions: WrittenPermissions | null;
  readonly limits: Partial<PluginLimits>;
  /** Defaults filled in. */
  readonly rateLimit: RateLimit;
  readonly namespaces: readonly string[] | null;
  readonly isolation: 'thread' | 'process' | null;
  /** Names of the environment variables its values used. */
  readonly variables: readonly string[];
  /** Position in `plugins:`, from 0. */
  readonly index: number;
  /** `['plugins', index]`; `checkConfig(schema, entry.config, { file, document, basePath: [...documentPath, 'config'], subject: name })`. */
  readonly documentPath: YamlPath;
}

export interface EntryRead {
  /** null: not even a usable name. */
  readonly name: string | null;
  readonly required: boolean;
  /** null: rejected. */
  readonly entry: PluginEntry | null;
  readonly problems: readonly Problem[];
}

export interface EntryContext {
  readonly document: YamlDocument;
  readonly index: number;
  readonly variables: Variables;
}

const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const DEFAULT_RATE_LIMIT: RateLimit = { eventsPerSecond: 1_000, burst: 1_000, whenFull: 'block' };

const rateLimitSchema = z
  .strictObject({
    eventsPerSecond: z
      .number()
      .min(0.001)
      .max(1_000_000)
      .exactOptional()
      .describe('Events per second in the long run.'),
    burst: z.int().min(1).max(1_000_000).exactOptional().describe('Events at once; default eventsPerSecond.'),
    whenFull: z
      .enum(['block', 'drop_newest'])
      .exactOptional()
      .describe('Over the limit the plugin waits, or events are dropped.'),
  })
  .transform(({ eventsPerSecond = DEFAULT_RATE_LIMIT.eventsPerSecond, burst, whenFull = 'block' }): RateLimit => {
    return { eventsPerSecond, burst: burst ?? Math.max(1, Math.ceil(eventsPerSecond)), whenFull };
  });

/** As written in YAML. */
export const pluginEntrySchema = z.strictObject({
  name: z
    .string()
    .regex(NAME, 'must be lower-case letters, digits and dashes, starting with a letter, at most 63 characters')
    .describe("The plugin's name, as in its manifest."),
  enabled: z.boolean().default(true).describe('Whether the plugin runs.'),
  required: z.boolean().default(false).describe('Whether khook is ready only while the plugin runs.'),
  path: z.string().nullish().describe('Accepted for the sake of older files; has no effect.'),
  config: z
    .record(z.string(), z.unknown())
    .nullish()
    .describe("Handed to the plugin, checked against its manifest's schema."),
  permissions: permissionsSchema.nullish().describe('What the plugin is granted of what its manifest asks for.'),
  limits: limitsSchema.nullish().describe("Limits in place of the manifest's."),
  rateLimit: rateLimitSchema.nullish().describe('How many events the plugin may send; default 1000 per second.'),
  namespaces: z
    .array(z.string().regex(NAMESPACE, 'must be the name of a namespace'))
    .min(1)
    .max(1_000)
    .nullish()
    .describe('Namespaces whose Hooks may see its events that carry none; default all.'),
  isolation: z
    .enum(['thread', 'process'])
    .nullish()
    .describe("What it runs in, in place of the manifest's choice: thread, or process."),
});

export function readPluginEntry(raw: unknown, { document, index, variables }: EntryContext): EntryRead {
  const documentPath = ['plugins', index];
  const draft: Place = { file: document.file, document, basePath: documentPath, subject: '' };
  const expansion = expandVariables(raw, variables, draft);
  const name = nameOf(expansion.value);
  const place: Place = { ...draft, subject: name ?? `plugins[${index}]` };
  const isDisabled = switchOf(expansion.value, 'enabled') === false;

  const problems: Problem[] = isDisabled
    ? []
    : expansion.problems.map((problem) => ({ ...problem, subject: place.subject }));
  const unset = new Set(problems.map(({ path }) => path));
  const checked = checkConfig(pluginEntrySchema, expansion.value, place, { isShapeOnly: isDisabled });
  if (checked.kind === 'bad') problems.push(...checked.problems.filter(({ path }) => !unset.has(path)));

  const required = switchOf(expansion.value, 'required') === true;
  const identity = { name, index, documentPath, variables: expansion.used };
  if (isDisabled)
    return { name, required, entry: name === null ? null : disabledEntry({ ...identity, name, required }), problems };
  if (name === null || checked.kind === 'bad' || problems.length > 0) return { name, required, entry: null, problems };

  const { permissions, limits, rateLimit, namespaces, isolation, config } = checked.value;
  const entry: PluginEntry = Object.freeze({
    ...identity,
    name,
    enabled: true,
    required: checked.value.required,
    config: config ?? {},
    permissions: permissions ?? null,
    limits: limits ?? {},
    rateLimit: rateLimit ?? DEFAULT_RATE_LIMIT,
    namespaces: namespaces ?? null,
    isolation: isolation ?? null,
  });
  return { name, required, entry, problems };
}

type Identity = Pick<PluginEntry, 'name' | 'index' | 'documentPath' | 'variables' | 'required'>;

/** Nothing of it is used, so nothing of it is kept. */
function disabledEntry(identity: Identity): PluginEntry {
  return Object.freeze({
    ...identity,
    enabled: false,
    config: {},
    permissions: null,
    limits: {},
    rateLimit: DEFAULT_RATE_LIMIT,
    namespaces: null,
    isolation: null,
  });
}

function nameOf(value: unknown): string | null {
  const name = valueAt(value, ['name']);
  return typeof name === 'string' && NAME.test(name) ? name : null;
}

/** Read before the schema is applied, because it decides how strictly it is; `${X}` = FALSE counts as false. */
function switchOf(value: unknown, key: 'enabled' | 'required'): unknown {
  const held = valueAt(value, [key]);
  return typeof held === 'string' && !hasPlaceholder(held) ? readScalar(held) : held;
}
