/** The manifest: the `khook` field of a bundle's package.json, as data. Read without running any code of the bundle. */

import * as z from 'zod';
import { compileConfigSchema, type JsonSchema } from './config-schema.ts';
import { limitsSchema } from './limits-schema.ts';
import type { PluginLimits } from './permissions.ts';
import { permissionsSchema, type WrittenPermissions } from './permissions-schema.ts';
import { type Place, problemAt, valueAt } from './place.ts';
import type { Problem } from './problem.ts';
import { type Checked, checkConfig } from './zod-problems.ts';

/** The version of `khook/plugin` this host speaks. */
export const API_VERSION = 1;

const MAX_EVENT_TYPES = 64;

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** As written: a path inside the bundle. */
  readonly main: string;
  readonly eventTypes: readonly string[];
  readonly permissions: WrittenPermissions;
  readonly limits: Partial<PluginLimits>;
  readonly isolation: 'thread' | 'process';
  readonly configSchema: JsonSchema | null;
}

/** What to write, for someone whose bundle has no manifest. */
export const MANIFEST_EXAMPLE =
  '{ "name": "my-plugin", "version": "1.0.0", "type": "module", "main": "index.ts", "khook": { "apiVersion": 1, "eventTypes": ["something-happened"] } }';

// https://semver.org/#is-there-a-suggested-regular-expression-regex-to-check-a-semver-string
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*)?(?:\+[\da-zA-Z-]+(?:\.[\da-zA-Z-]+)*)?$/;

const eventTypeSchema = z
  .string()
  .max(128)
  .regex(/^[^\s\p{C}]+$/u, 'must be a word such as pod-restart, without white space');

const packageSchema = z.object({
  name: z
    .string()
    .max(64)
    .regex(/^[a-z][a-z0-9-]*$/, 'must be lower-case letters, digits and dashes, starting with a letter (my-plugin)'),
  version: z.string().max(256).regex(SEMVER, 'must be a semantic version such as 1.0.0'),
  description: z.string().optional(),
  main: z.string().min(1).max(1_024).describe('The entry file, inside the bundle.'),
  khook: z.strictObject({
    apiVersion: z.literal(API_VERSION),
    eventTypes: z
      .array(eventTypeSchema)
      .min(1, 'must name at least one event type')
      .max(MAX_EVENT_TYPES, `must name at most ${MAX_EVENT_TYPES} event types`)
      .refine((types) => new Set(types).size === types.length, 'must not name an event type twice'),
    permissions: permissionsSchema.optional(),
    limits: limitsSchema.optional(),
    isolation: z.enum(['thread', 'process']).optional(),
    config: z.record(z.string(), z.unknown()).optional().describe('JSON Schema of the configuration.'),
  }),
});

const MAX_DESCRIPTION = 500;

/** `value`: the whole package.json, parsed. */
export function parseManifest(value: unknown, place: Place): Checked<Manifest> {
  const early = refuseAtOnce(value, place);
  if (early !== null) return { kind: 'bad', problems: [early] };
  const checked = checkConfig(packageSchema, value, place);
  if (checked.kind === 'bad') return { kind: 'bad', problems: checked.problems.map(asManifestProblem) };
  const { name, version, description = '', main, khook } = checked.value;
  const configSchema = khook.config ?? null;
  const compiled = configSchema === null ? null : compileConfigSchema(configSchema);
  if (compiled?.kind === 'bad') {
    const message = `the config schema of plugin '${name}' cannot be used: ${compiled.why}`;
    const fix = 'khook.config must be a JSON Schema of type object';
    return { kind: 'bad', problems: [manifestProblem(place, ['khook', 'config'], message, fix)] };
  }
  const manifest: Manifest = {
    name,
    version,
    description: description.slice(0, MAX_DESCRIPTION),
    main,
    eventTypes: khook.eventTypes,
    permissions: khook.permissions ?? {},
    limits: khook.limits ?? {},
    isolation: khook.isolation ?? 'thread',
    configSchema,
  };
  return { kind: 'ok', value: manifest };
}

/** What makes every other message pointless: no khook field, or a manifest of another API version. */
function refuseAtOnce(value: unknown, place: Place): Problem | null {
  const khook = valueAt(value, ['khook']);
  if (typeof khook !== 'object' || khook === null || Array.isArray(khook)) {
    return manifestProblem(
      place,
      [],
      "package.json has no 'khook' field, so this folder is no plugin bundle",
      `write for example ${MANIFEST_EXAMPLE}`,
    );
  }
  const apiVersion = valueAt(khook, ['apiVersion']);
  if (typeof apiVersion !== 'number' || apiVersion === API_VERSION) return null;
  const name = String(valueAt(value, ['name'])).slice(0, 64);
  const message = `plugin '${name}' is made for plugin API ${apiVersion}, and this khook speaks ${API_VERSION}`;
  const fix =
    apiVersion > API_VERSION
      ? `upgrade khook, or install a version of '${name}' that is made for plugin API ${API_VERSION}`
      : `upgrade '${name}' to plugin API ${API_VERSION}`;
  return manifestProblem(place, ['khook', 'apiVersion'], message, fix);
}

export function manifestProblem(place: Place, path: readonly (string | number)[], message: string, fix = ''): Problem {
  return problemAt(place, path, { code: 'HOST_ERR_BUNDLE_MANIFEST', message, fix });
}

function asManifestProblem(problem: Problem): Problem {
  return { ...problem, code: 'HOST_ERR_BUNDLE_MANIFEST' };
}
