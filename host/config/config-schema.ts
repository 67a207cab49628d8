/** The JSON Schema of a bundle's configuration: compiled by zod, and applied with the host's own rules (`debug`). */

import * as z from 'zod';
import { messageOf } from '../../ipc/errors.ts';
import { callBounded } from './bounded-call.ts';
import { type Place, problemAt, valueAt } from './place.ts';
import type { Problem } from './problem.ts';
import { type Checked, checkConfig } from './zod-problems.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Far above what a real check takes (about 1 ms), far below what anyone would notice. */
const CHECK_TIMEOUT_MS = 250;
/** The first one that a process compiles pays for zod's own compilation, on a machine that may be busy. */
const COMPILE_TIMEOUT_MS = 2_000;

export type CompiledSchema =
  | { readonly kind: 'ok'; readonly schema: z.ZodType }
  | { readonly kind: 'bad'; readonly why: string };

export function compileConfigSchema(schema: JsonSchema): CompiledSchema {
  if (Object.hasOwn(schema, 'type') && schema.type !== 'object') {
    return { kind: 'bad', why: `its type must be "object", got ${JSON.stringify(schema.type)?.slice(0, 80)}` };
  }
  try {
    const compiled = callBounded(COMPILE_TIMEOUT_MS, () => z.fromJSONSchema({ ...schema, type: 'object' } as never));
    return compiled.kind === 'done'
      ? { kind: 'ok', schema: compiled.value }
      : { kind: 'bad', why: 'it takes too long to compile' };
  } catch (error) {
    return { kind: 'bad', why: messageOf(error).slice(0, 300) };
  }
}

/** Defaults filled in and validated. No schema: anything goes. `debug` is the host's: every plugin has it, whatever its schema says. */
export function checkPluginConfig(
  schema: JsonSchema | null,
  config: Readonly<Record<string, unknown>>,
  place: Place,
): Checked<Readonly<Record<string, unknown>>> {
  const { debug, ...rest } = config;
  const isOwnDebug = debug !== undefined && (schema === null || !declaresKey(schema, ['debug']));
  if (isOwnDebug && typeof debug !== 'boolean') {
    const message = `configuration 'debug' must be true or false, got ${JSON.stringify(debug)?.slice(0, 80)}`;
    return { kind: 'bad', problems: [problemAt(place, ['debug'], { code: 'HOST_ERR_CONFIG_VALUE', message })] };
  }
  if (schema === null) return { kind: 'ok', value: config };
  const checked = applySchema(schema, isOwnDebug ? rest : config, place);
  if (checked.kind === 'bad' || !isOwnDebug) return checked;
  return { kind: 'ok', value: { ...checked.value, debug } };
}

function applySchema(schema: JsonSchema, config: JsonSchema, place: Place): Checked<JsonSchema> {
  const compiled = compileConfigSchema(schema);
  if (compiled.kind === 'bad') return bad(place, `the manifest's config schema cannot be used: ${compiled.why}`);
  try {
    const checked = callBounded(CHECK_TIMEOUT_MS, () => checkConfig(compiled.schema, config, place));
    if (checked.kind === 'late') {
      return bad(
        place,
        `checking the configuration took longer than ${CHECK_TIMEOUT_MS} ms: a pattern in the manifest backtracks`,
      );
    }
    return checked.value as Checked<JsonSchema>;
  } catch (error) {
    return bad(place, `the manifest's config schema cannot be applied: ${messageOf(error).slice(0, 300)}`);
  }
}

function bad(place: Place, message: string): { kind: 'bad'; problems: Problem[] } {
  const fix = 'correct khook.config in the package.json of the bundle';
  return { kind: 'bad', problems: [problemAt(place, [], { code: 'HOST_ERR_CONFIG_VALUE', message, fix })] };
}

/** Whether the schema names the key, by `properties` alone. */
export function declaresKey(schema: JsonSchema | null, path: readonly string[]): boolean {
  return (
    valueAt(
      schema,
      path.flatMap((key) => ['properties', key]),
    ) !== undefined
  );
}
