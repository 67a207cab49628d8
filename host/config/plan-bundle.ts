/** The plan of one bundle, seen through its entry of plugins.yaml: config, permissions, limits. Pure but for the look-up of folders. */

import type { Bundle } from './bundle.ts';
import { checkPluginConfig, declaresKey } from './config-schema.ts';
import type { Variables } from './expand.ts';
import { digest } from './fingerprint.ts';
import { CONNECTION_REMEDY, describePermissions, grantYaml, missingGrants } from './grants.ts';
import type { Permissions, PluginLimits } from './permissions.ts';
import { type Place, type Positioned, problemAt, within } from './place.ts';
import type { PluginEntry } from './plugin-entry.ts';
import { DEFAULT_RATE_LIMIT } from './plugin-entry.ts';
import type { PluginPlan, PluginSpec } from './plugin-plan.ts';
import type { Problem } from './problem.ts';
import { type FolderLookUp, resolvePermissions } from './resolve-permissions.ts';
import type { Settings } from './settings.ts';

export interface PlanContext {
  readonly settings: Settings;
  /** Of the environment: the values of what is granted are part of the fingerprint. */
  readonly variables: Variables;
  /** Of all plugins; null: as each says. */
  readonly isolation: PluginSpec['isolation'] | null;
  /** Why there is no connection to a cluster; null when there is one. */
  readonly connectionProblem: string | null;
  /** plugins.yaml as the user knows it, and the positions in it; null when there is none. */
  readonly file: string;
  readonly document: Positioned | null;
  readonly folder: FolderLookUp;
}

const MB = 1024 * 1024;
const DEFAULT_MEMORY_BYTES = 64 * MB;
const DEFAULT_STOP_TIMEOUT_MS = 5_000;
/** What a healthy plugin never meets. */
const DEFAULT_BUDGETS = { cpuShare: 0.85, hangTimeoutMs: 2_000, sockets: 1_024, files: 64, logLinesPerSecond: 200 };
const DEFAULT_HEALTH_CHECK_TIMEOUT_MS = 5_000;

type Config = Readonly<Record<string, unknown>>;

/** `entry` null: plugins.yaml says nothing about the plugin, so it runs with its defaults if it needs nothing. */
export function planBundle(bundle: Bundle, entry: PluginEntry | null, context: PlanContext): PluginPlan {
  const { name, version } = bundle.manifest;
  if (entry?.enabled === false) return { kind: 'disabled', name, version };
  const required = entry?.required ?? false;
  const place = entryPlace(name, entry, context);
  const checked = checkPluginConfig(
    bundle.manifest.configSchema,
    entry?.config ?? {},
    within(place, entry === null ? [] : ['config']),
  );
  if (checked.kind === 'bad') {
    const problems = entry === null ? checked.problems.map((problem) => suggestEntry(name, problem)) : checked.problems;
    return { kind: 'invalid', name, version, problems, required };
  }
  const {
    requested,
    granted,
    problems: faults,
  } = readPermissions(bundle, {
    ...{ entry, place, context, config: checked.value },
  });
  const problems = [...faults, ...bundleFaults(bundle, context)];
  if (problems.length > 0) return { kind: 'invalid', name, version, problems, required };
  const isSet = (variable: string): boolean => (context.variables[variable] ?? null) !== null;
  const handed = requested.env.filter((variable) => granted.env.includes(variable) && isSet(variable));
  const access = { asked: requested, granted, environment: handed };
  const missing = missingGrants(requested, granted);
  if (missing !== null) {
    const reason = `plugin '${name}' asks for what plugins.yaml does not grant: ${describePermissions(missing)}`;
    const remedy = grantRemedy(requested, place, entry !== null);
    return { kind: 'blocked', name, version, why: 'grants', reason, remedy, required, access };
  }
  if (requested.kubernetes && context.connectionProblem !== null) {
    const reason = `plugin '${name}' needs a connection to a Kubernetes cluster: ${context.connectionProblem}`;
    const remedy = CONNECTION_REMEDY;
    return { kind: 'blocked', name, version, why: 'connection', reason, remedy, required, access };
  }
  return {
    kind: 'run',
    name,
    version,
    spec: makeSpec(bundle, { entry, config: checked.value, permissions: requested, context }),
    access,
  };
}

function entryPlace(name: string, entry: PluginEntry | null, context: PlanContext): Place {
  const document = entry === null ? null : context.document;
  return { file: context.file, document, basePath: entry?.documentPath ?? [], subject: name };
}

function suggestEntry(name: string, problem: Problem): Problem {
  const hint = `plugins.yaml has no entry for '${name}'; add one with its config`;
  return { ...problem, fix: problem.fix === '' ? hint : `${problem.fix}; ${hint}` };
}

interface Reading {
  readonly entry: PluginEntry | null;
  readonly config: Config;
  readonly place: Place;
  readonly context: PlanContext;
}

function readPermissions(
  bundle: Bundle,
  { entry, config, place, context }: Reading,
): { requested: Permissions; granted: Permissions; problems: readonly Problem[] } {
  const { manifest, file, document } = bundle;
  const scope = { config, declares: (path: readonly string[]) => declaresKey(manifest.configSchema, path) };
  const manifestPlace: Place = { file, document, basePath: ['khook', 'permissions'], subject: manifest.name };
  const { folder } = context;
  const requested = resolvePermissions(manifest.permissions, { place: manifestPlace, scope, folder });
  const granted = resolvePermissions(entry?.permissions ?? null, {
    place: within(place, ['permissions']),
    scope,
    folder,
  });
  return {
    requested: requested.permissions,
    granted: granted.permissions,
    problems: [...requested.problems, ...granted.problems],
  };
}

/** A plugin may read all of its bundle: nothing in it may lead elsewhere. */
function bundleFaults({ directory, archive, file, document, manifest }: Bundle, { folder }: PlanContext): Problem[] {
  const verdict = folder(directory);
  if (verdict.kind === 'ok') return [];
  const message = `the bundle '${archive ?? directory}' ${verdict.why}`;
  const fix = 'take it away; where a dependency is linked, copy or bundle it';
  const place = { file, document, basePath: [], subject: manifest.name };
  return [problemAt(place, [], { code: 'HOST_ERR_FOLDER', message, fix })];
}

/** The whole of what is asked for, not only what is missing: pasted over the old permissions it must not take anything away. */
function grantRemedy(requested: Permissions, place: Place, hasEntry: boolean): string {
  const line = place.document?.at(place.basePath).line ?? null;
  const where = line === null ? place.file : `${place.file}:${line}`;
  const what = hasEntry ? `give the entry of '${place.subject}' these permissions` : 'add this entry';
  return `# ${where}: ${what}\n${grantYaml(place.subject, requested)}`;
}

interface SpecParts {
  readonly entry: PluginEntry | null;
  readonly config: Config;
  readonly permissions: Permissions;
  readonly context: PlanContext;
}

function makeSpec(bundle: Bundle, { entry, config, permissions, context }: SpecParts): PluginSpec {
  const { manifest } = bundle;
  const { settings, variables } = context;
  const limits: PluginLimits = {
    memoryBytes: DEFAULT_MEMORY_BYTES,
    startTimeoutMs: settings.loadTimeoutMs,
    stopTimeoutMs: DEFAULT_STOP_TIMEOUT_MS,
    healthCheckTimeoutMs: DEFAULT_HEALTH_CHECK_TIMEOUT_MS,
    ...DEFAULT_BUDGETS,
    ...manifest.limits,
    ...entry?.limits,
  };
  const spec = {
    name: manifest.name,
    version: manifest.version,
    description: manifest.description,
    directory: bundle.directory,
    entry: bundle.entry,
    eventTypes: manifest.eventTypes,
    config,
    permissions,
    limits,
    rateLimit: entry?.rateLimit ?? DEFAULT_RATE_LIMIT,
    namespaces: entry?.namespaces ?? null,
    required: entry?.required ?? false,
    debug: config.debug === true,
    isolation: context.isolation ?? entry?.isolation ?? manifest.isolation,
    healthCheckIntervalMs: settings.healthCheckIntervalMs,
  };
  const grantedValues = permissions.env.map((name) => [name, variables[name] ?? null]);
  const fingerprint = digest([bundle.stamp, spec, grantedValues]);
  return { ...spec, ...(bundle.archive !== undefined && { archive: bundle.archive }), fingerprint };
}
