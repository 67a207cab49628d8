/** plugins.yaml: which plugins run, with what, and the settings. One bad entry is reported and left out; the others stand. */

import { expandVariables, type Variables } from './expand.ts';
import { type Place, problemAt, valueAt } from './place.ts';
import { type EntryRead, type PluginEntry, readPluginEntry } from './plugin-entry.ts';
import type { Problem } from './problem.ts';
import { parseSettings, type Settings } from './settings.ts';
import { didYouMean } from './suggest.ts';
import { readYamlFile, type YamlDocument } from './yaml-file.ts';
import { typeName } from './zod-words.ts';

export interface RejectedEntry {
  readonly name: string;
  readonly required: boolean;
  readonly problems: readonly Problem[];
}

export interface PluginsFile {
  readonly file: string;
  readonly document: YamlDocument;
  readonly entries: readonly PluginEntry[];
  /** Enabled entries with an error; their problems are in `problems` too. */
  readonly rejected: readonly RejectedEntry[];
  readonly settings: Settings;
  readonly problems: readonly Problem[];
}

export type PluginsFileRead =
  | { readonly kind: 'ok'; readonly plugins: PluginsFile }
  | { readonly kind: 'missing' }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] };

const ROOT_KEYS = ['plugins', 'settings'];
const MAX_ENTRIES = 1_000;

export function readPluginsFile(path: string, variables: Variables): PluginsFileRead {
  const read = readYamlFile(path);
  if (read.kind !== 'ok') return read;
  const { document, documents } = read;
  const place: Place = { file: path, document, basePath: [], subject: '' };
  const isObject = typeof document.value === 'object' && !Array.isArray(document.value);
  if (!isObject || documents.length > 1) {
    const got = isObject ? `${documents.length} documents` : typeName(document.value);
    const message = `${path} must hold one object with the keys plugins and settings, got ${got}`;
    return { kind: 'bad', problems: [problemAt(place, [], { code: 'HOST_ERR_CONFIG_FILE', message })] };
  }
  return { kind: 'ok', plugins: parsePluginsFile(document, variables) };
}

export function parsePluginsFile(document: YamlDocument, variables: Variables): PluginsFile {
  const place: Place = { file: document.file, document, basePath: [], subject: '' };
  const problems: Problem[] = unknownRootKeys(place);
  const entries: PluginEntry[] = [];
  const rejected: RejectedEntry[] = [];
  const firstIndex = new Map<string, number>();

  for (const [index, raw] of listOfEntries(place, problems).entries()) {
    const read = readPluginEntry(raw, { document, index, variables });
    problems.push(...read.problems);
    if (read.name === null) continue;
    const first = firstIndex.get(read.name);
    if (first !== undefined) {
      problems.push(duplicate(place, { name: read.name, first, index }));
      continue;
    }
    firstIndex.set(read.name, index);
    keep(read, read.name);
  }
  const read = readSettings({ ...place, basePath: ['settings'] }, variables);
  problems.push(...read.problems);
  return { file: document.file, document, entries, rejected, settings: read.settings, problems };

  function keep(read: EntryRead, name: string): void {
    if (read.entry !== null) entries.push(read.entry);
    else rejected.push({ name, required: read.required, problems: read.problems });
  }
}

function readSettings(place: Place, variables: Variables): ReturnType<typeof parseSettings> {
  const { value, problems } = expandVariables(valueAt(place.document?.value, place.basePath), variables, place);
  const unset = new Set(problems.map(({ path }) => path));
  const parsed = parseSettings(value, place, unset);
  return { settings: parsed.settings, problems: [...problems, ...parsed.problems] };
}

function listOfEntries(place: Place, problems: Problem[]): readonly unknown[] {
  const list = valueAt(place.document?.value, ['plugins']) ?? [];
  if (Array.isArray(list) && list.length <= MAX_ENTRIES) return list;
  const got = Array.isArray(list) ? `${list.length} entries` : typeName(list);
  const message = `configuration 'plugins' must be a list of at most ${MAX_ENTRIES} entries, got ${got}`;
  const fix = 'write one entry that begins with `- name:` for each plugin';
  problems.push(problemAt(place, ['plugins'], { code: 'HOST_ERR_CONFIG_VALUE', message, fix }));
  return [];
}

function unknownRootKeys(place: Place): Problem[] {
  return Object.keys(place.document?.value ?? {})
    .filter((key) => !ROOT_KEYS.includes(key))
    .map((key) => {
      const fix = didYouMean(key, ROOT_KEYS);
      const message = `unknown configuration key: ${key}`;
      return problemAt(place, [key], { code: 'HOST_ERR_CONFIG_KEY', message, fix, part: 'key' });
    });
}

function duplicate(place: Place, { name, first, index }: { name: string; first: number; index: number }): Problem {
  const line = place.document?.at(['plugins', first]).line;
  return problemAt({ ...place, subject: name }, ['plugins', index, 'name'], {
    code: 'HOST_ERR_CONFIG_DUPLICATE',
    message: `plugin '${name}' is configured twice; the entry in line ${line} is used and this one ignored`,
    fix: 'remove one of the two entries',
  });
}
