/** Hooks from a folder of YAML and JSON files, for a khook without a cluster and for `khook check`. One bad Hook leaves the others alone. */

import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { type Hook, hookId } from './hook.ts';
import { HOOK_API_VERSION, HOOK_KIND, parseHook } from './hook-schema.ts';
import { type Place, problemAt, valueAt, type YamlPath } from './place.ts';
import type { Problem } from './problem.ts';
import { didYouMean, nearestWord } from './suggest.ts';
import { readYamlFile, type YamlDocument } from './yaml-file.ts';
import { typeName } from './zod-words.ts';

export interface HooksRead {
  /** `missing`: there is no such folder. `bad`: it cannot be listed. */
  readonly kind: 'ok' | 'missing' | 'bad';
  readonly hooks: readonly Hook[];
  /** What is left out because of an error. */
  readonly problems: readonly Problem[];
  /** What was ignored on purpose: other kinds. */
  readonly warnings: readonly Problem[];
}

const GROUP = 'kagent.dev';
const MAX_FILES = 1_000;
const MAX_HOOKS = 10_000;

/** Sorted by file name, not recursive, links followed (a mounted ConfigMap is made of them), names that begin with a dot passed over. */
export function readHooksDirectory(directory: string, options: { defaultNamespace?: string } = {}): HooksRead {
  let names: readonly string[];
  try {
    names = readdirSync(directory, { withFileTypes: true })
      .filter(isCandidate)
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { kind: 'missing', hooks: [], problems: [], warnings: [] };
    const text = `the folder of Hooks ${directory} cannot be read: ${messageOf(error)}`;
    return { kind: 'bad', hooks: [], problems: [wholeFile(directory, text)], warnings: [] };
  }
  const collection = new Collection(options.defaultNamespace);
  for (const name of names.slice(0, MAX_FILES)) {
    const file = join(directory, name);
    const read = readYamlFile(file);
    // Missing: deleted since the folder was listed.
    if (read.kind === 'bad') collection.problems.push(...read.problems);
    if (read.kind === 'ok') for (const document of read.documents) collection.addDocument(document);
  }
  if (names.length > MAX_FILES) {
    const text = `the folder of Hooks ${directory} has ${names.length} files; only the first ${MAX_FILES} are read`;
    collection.problems.push(wholeFile(directory, text));
  }
  const { problems, warnings } = collection;
  return { kind: 'ok', hooks: [...collection.hooks.values()], problems, warnings };
}

class Collection {
  readonly hooks = new Map<string, Hook>();
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #defaultNamespace: string | undefined;

  constructor(defaultNamespace: string | undefined) {
    this.#defaultNamespace = defaultNamespace;
  }

  addDocument(document: YamlDocument): void {
    // `---` at the end of a file makes an empty document.
    if (document.value !== null) this.#addObject(document, document.value, []);
  }

  #addObject(document: YamlDocument, object: unknown, basePath: YamlPath): void {
    const items = valueAt(object, ['items']);
    const kind = valueAt(object, ['kind']);
    if ((kind === 'List' || kind === 'HookList') && Array.isArray(items)) {
      for (const [index, item] of items.entries()) this.#addObject(document, item, [...basePath, 'items', index]);
      return;
    }
    const place: Place = { file: document.file, document, basePath, subject: '' };
    if (kind !== HOOK_KIND || isOtherGroup(valueAt(object, ['apiVersion']))) {
      this.#ignore(place, object);
      return;
    }
    const read = parseHook(object, {
      origin: document.file,
      document,
      basePath,
      ...(this.#defaultNamespace !== undefined && { defaultNamespace: this.#defaultNamespace }),
    });
    if (read.kind === 'bad') this.problems.push(...read.problems);
    else this.#keep(place, read.hook);
  }

  #keep(place: Place, hook: Hook): void {
    const id = hookId(hook);
    const first = this.hooks.get(id);
    const at: Place = { ...place, subject: id };
    if (first !== undefined) {
      const message = `Hook ${id} stands twice; the one in ${first.origin} is used and this one ignored`;
      const fix = 'remove or rename one of the two';
      this.problems.push(problemAt(at, ['metadata', 'name'], { code: 'HOST_ERR_CONFIG_DUPLICATE', message, fix }));
    } else if (this.hooks.size >= MAX_HOOKS) {
      const message = `Hook ${id} is left out: more than ${MAX_HOOKS} Hooks`;
      this.problems.push(problemAt(at, [], { code: 'HOST_ERR_HOOK', message }));
    } else {
      this.hooks.set(id, hook);
    }
  }

  #ignore(place: Place, object: unknown): void {
    const [apiVersion, kind] = ['apiVersion', 'kind'].map((key) => valueAt(object, [key]));
    const isNamed = typeof kind === 'string';
    const got = isNamed ? `kind ${kind} of ${String(apiVersion)}`.slice(0, 200) : `${typeName(object)} without a kind`;
    const message = `ignored: expected kind ${HOOK_KIND} of ${HOOK_API_VERSION}, got ${got}`;
    const slip = slipIn(kind, apiVersion);
    const fix = slip === '' ? 'move it to another folder, or correct kind and apiVersion' : slip;
    const text = { code: 'HOST_ERR_HOOK', message, fix } as const;
    // What does not even say its kind, or says ours with a slip, is more likely a broken Hook than something else.
    (isNamed && slip === '' ? this.warnings : this.problems).push(problemAt(place, isNamed ? ['kind'] : [], text));
  }
}

/** `kind: hook`, `apiVersion: kagent.dv/v1alpha2`; empty: it is something else. */
function slipIn(kind: unknown, apiVersion: unknown): string {
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') return '';
  const [group = ''] = apiVersion.split('/');
  if (nearestWord(kind, [HOOK_KIND]) === null || nearestWord(group, [GROUP]) === null) return '';
  return kind === HOOK_KIND ? didYouMean(apiVersion, [HOOK_API_VERSION]) : didYouMean(kind, [HOOK_KIND]);
}

/** A Hook of another API group is no business of ours; one of our group in another version is a Hook with an error. */
function isOtherGroup(apiVersion: unknown): boolean {
  return typeof apiVersion === 'string' && !apiVersion.startsWith(`${GROUP}/`);
}

function isCandidate(entry: Dirent): boolean {
  return (
    !entry.name.startsWith('.') && /\.(ya?ml|json)$/.test(entry.name) && (entry.isFile() || entry.isSymbolicLink())
  );
}

function wholeFile(file: string, message: string): Problem {
  return { code: 'HOST_ERR_CONFIG_FILE', message, file, line: null, column: null, path: '', fix: '', subject: '' };
}
