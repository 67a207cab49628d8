/** event-mappings.yaml: from `source:type` to internal type, severity and tags. One bad entry is reported and skipped; the others load. */

import * as z from 'zod';
import { expandVariables, type Variables } from './expand.ts';
import { type Mapping, SEVERITIES } from './mapping.ts';
import { type Place, problemAt, valueAt } from './place.ts';
import type { Problem } from './problem.ts';
import { didYouMean, nearestWord } from './suggest.ts';
import { readYamlFile, type YamlDocument } from './yaml-file.ts';
import { checkConfig } from './zod-problems.ts';
import { type IssueView, typeName } from './zod-words.ts';

/** `missing`: the mappings are the defaults and `note` says so. `bad`: no mappings; keep what was in force. */
export interface MappingsRead {
  readonly kind: 'ok' | 'missing' | 'bad';
  readonly mappings: readonly Mapping[];
  readonly problems: readonly Problem[];
  /** Empty, or one sentence for the log. */
  readonly note: string;
}

const MAX_MAPPINGS = 10_000;
const ROOT_KEYS = ['mappings'];

const word = z.string().max(256).regex(/\S/, 'cannot be empty');
// `priority: 1` is a tag whose value is the text 1.
const tag = z.union([z.string().max(1_024), z.number(), z.boolean()]).transform(String);

/** As written in YAML. */
export const mappingSchema = z.strictObject({
  eventSource: word.describe("The plugin's name."),
  eventType: word.describe('The type as the plugin names it.'),
  internalType: word.describe('The type that Hooks may name.'),
  description: z.string().max(4_096).nullish().describe('For people.'),
  severity: z.enum(SEVERITIES).nullish().describe('Default info.'),
  tags: z.record(z.string().max(256), tag).nullish().describe('Added to the tags of the event.'),
  enabled: z.boolean().default(true).describe('Off: such events end as mapping_disabled.'),
});

export const DEFAULT_MAPPINGS: readonly Mapping[] = Object.freeze([
  kubernetes('pod-restart', 'PodRestart', { severity: 'warning', description: 'A container of a pod restarted' }),
  kubernetes('oom-kill', 'OOMKill', {
    severity: 'error',
    description: 'A container was killed because it ran out of memory',
  }),
  kubernetes('pod-pending', 'PodPending', { severity: 'warning', description: 'A pod cannot be scheduled' }),
  kubernetes('probe-failed', 'ProbeFailed', { severity: 'warning', description: 'A health probe of a pod failed' }),
]);

export function readMappingsFile(path: string, variables: Variables): MappingsRead {
  const read = readYamlFile(path);
  if (read.kind === 'bad') return { kind: 'bad', mappings: [], problems: read.problems, note: '' };
  if (read.kind === 'missing') {
    const note = `event mappings file ${path} not found, using the ${DEFAULT_MAPPINGS.length} default mappings of the kubernetes plugin`;
    return { kind: 'missing', mappings: DEFAULT_MAPPINGS, problems: [], note };
  }
  return parseMappingsFile(read.document, variables);
}

export function parseMappingsFile(document: YamlDocument, variables: Variables): MappingsRead {
  const place: Place = { file: document.file, document, basePath: [], subject: '' };
  const list = valueAt(document.value, ['mappings']) ?? (isEmptyFile(document.value) ? [] : undefined);
  if (!Array.isArray(list) || list.length > MAX_MAPPINGS) {
    const got = Array.isArray(list) ? `${list.length} entries` : typeName(list ?? document.value);
    const message = `${document.file} must hold the key mappings with a list of at most ${MAX_MAPPINGS} entries, got ${got}`;
    const slip = Object.keys(Object(document.value)).find((key) => nearestWord(key, ROOT_KEYS) !== null);
    const fix =
      list === undefined && slip !== undefined
        ? `write \`mappings:\` in place of \`${slip}:\``
        : 'write `mappings:` and below it one entry that begins with `- eventSource:` for each';
    const problem = problemAt(place, ['mappings'], { code: 'HOST_ERR_CONFIG_FILE', message, fix });
    return { kind: 'bad', mappings: [], problems: [problem], note: '' };
  }
  const problems = unknownRootKeys(place);
  const mappings = new Map<string, { readonly mapping: Mapping; readonly index: number }>();
  for (const [index, raw] of list.entries()) {
    const read = readMapping(raw, {
      place: { ...place, basePath: ['mappings', index], subject: subjectOf(raw, index) },
      variables,
    });
    if (read.mapping === null) {
      problems.push(...read.problems);
      continue;
    }
    const key = `${read.mapping.eventSource}:${read.mapping.eventType}`;
    const first = mappings.get(key);
    if (first === undefined) mappings.set(key, { mapping: read.mapping, index });
    else problems.push(duplicate(place, { key, first: first.index, index }));
  }
  return { kind: 'ok', mappings: [...mappings.values()].map(({ mapping }) => mapping), problems, note: '' };
}

interface MappingContext {
  readonly place: Place;
  readonly variables: Variables;
}

function readMapping(
  raw: unknown,
  { place, variables }: MappingContext,
): { mapping: Mapping | null; problems: readonly Problem[] } {
  const expansion = expandVariables(raw, variables, place);
  const checked = checkConfig(mappingSchema, expansion.value, place, {
    noun: 'mapping field',
    keyNoun: 'mapping field',
    reword,
  });
  const problems = [...expansion.problems, ...(checked.kind === 'bad' ? checked.problems : [])].map(asMappingProblem);
  if (checked.kind === 'bad' || problems.length > 0) return { mapping: null, problems };
  const { eventSource, eventType, internalType, description, severity, tags, enabled } = checked.value;
  const mapping = Object.freeze({
    eventSource,
    eventType,
    internalType,
    description: description ?? '',
    severity: severity ?? 'info',
    tags: Object.freeze(tags ?? {}),
    enabled,
  });
  return { mapping, problems: [] };
}

/** The sentences that users of upstream know. */
function reword({ issue, value, isHidden }: IssueView): string | null {
  const [field, ...rest] = issue.path;
  if (rest.length > 0 || typeof field !== 'string') return null;
  if (['eventSource', 'eventType', 'internalType'].includes(field)) {
    const isEmpty = value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
    return isEmpty ? `${field} cannot be empty` : null;
  }
  if (field !== 'severity' || typeof value === 'undefined') return null;
  const got = isHidden ? 'from a placeholder' : `'${String(value).slice(0, 80)}'`;
  return `invalid severity ${got}, must be one of: ${SEVERITIES.join(', ')}`;
}

/** What is wrong with an entry has the code of a skipped mapping, except where the code says more. */
function asMappingProblem(problem: Problem): Problem {
  return problem.code === 'HOST_ERR_CONFIG_VALUE' ? { ...problem, code: 'HOST_ERR_MAPPING' } : problem;
}

function subjectOf(raw: unknown, index: number): string {
  const [source, type] = ['eventSource', 'eventType'].map((key) => valueAt(raw, [key]));
  const isNamed = typeof source === 'string' && typeof type === 'string' && source !== '' && type !== '';
  return isNamed ? `${source}:${type}`.slice(0, 200) : `mappings[${index}]`;
}

function duplicate(place: Place, { key, first, index }: { key: string; first: number; index: number }): Problem {
  const line = place.document?.at(['mappings', first]).line;
  return problemAt({ ...place, subject: key }, ['mappings', index], {
    code: 'HOST_ERR_CONFIG_DUPLICATE',
    message: `'${key}' is mapped twice; the entry in line ${line} is used and this one ignored`,
    fix: 'remove one of the two entries',
  });
}

function unknownRootKeys(place: Place): Problem[] {
  return Object.keys(place.document?.value ?? {})
    .filter((key) => !ROOT_KEYS.includes(key))
    .map((key) => {
      const text = { message: `unknown configuration key: ${key}`, fix: didYouMean(key, ROOT_KEYS) };
      return problemAt(place, [key], { code: 'HOST_ERR_CONFIG_KEY', ...text, part: 'key' });
    });
}

/** A file with nothing but comments maps nothing on purpose. */
function isEmptyFile(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.hasOwn(value, 'mappings'));
}

function kubernetes(eventType: string, internalType: string, rest: Pick<Mapping, 'severity' | 'description'>): Mapping {
  return Object.freeze({
    eventSource: 'kubernetes',
    eventType,
    internalType,
    tags: Object.freeze({}),
    enabled: true,
    ...rest,
  });
}
