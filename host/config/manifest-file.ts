/** Reads the manifest of one bundle from disk and vets the entry it names: a manifest may lie. */

import { readFileSync, realpathSync, statSync } from 'node:fs';
import { extname, isAbsolute, join, resolve, sep } from 'node:path';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { coversFolder } from './grants.ts';
import { MANIFEST_EXAMPLE, type Manifest, manifestProblem, parseManifest } from './manifest.ts';
import { type Place, type Positioned, problemAt, valueAt } from './place.ts';
import type { Problem } from './problem.ts';
import { parseYamlText } from './yaml-file.ts';

export const MAX_MANIFEST_BYTES = 256 * 1024;

const ENTRY_EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cjs'];

export type ManifestRead =
  | {
      readonly kind: 'ok';
      readonly manifest: Manifest;
      /** Real path of the entry file. */
      readonly entry: string;
      readonly file: string;
      readonly document: Positioned | null;
    }
  /** `name`: what the manifest calls itself, when that much could be read; else null. */
  | {
      readonly kind: 'bad';
      readonly name: string | null;
      readonly version: string;
      readonly problems: readonly Problem[];
    }
  /** The folder vanished while it was read. */
  | { readonly kind: 'gone' };

/** `shown`: the bundle as the user knows it; messages name it so. */
export function readManifest(directory: string, shown: string = directory): ManifestRead {
  const file = join(shown, 'package.json');
  const place: Place = { file, document: null, basePath: [], subject: '' };
  const text = readText(directory, place);
  if (typeof text !== 'string') return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return bad(null, [manifestProblem(place, [], `package.json is not JSON: ${messageOf(error).slice(0, 200)}`)]);
  }
  const name = valueAt(value, ['name']);
  const subject = typeof name === 'string' ? name.slice(0, 64) : '';
  const located: Place = { ...place, document: positions(file, text), subject };
  const parsed = parseManifest(value, located);
  if (parsed.kind === 'bad') return bad(value, parsed.problems);
  const entry = vetEntry(directory, parsed.value.main, located);
  if (typeof entry !== 'string') return bad(value, [entry]);
  return { kind: 'ok', manifest: parsed.value, entry, file, document: located.document };
}

function readText(directory: string, place: Place): string | ManifestRead {
  const file = join(directory, 'package.json');
  try {
    const status = statSync(file);
    if (!status.isFile()) return bad(null, [manifestProblem(place, [], 'package.json is not a file')]);
    if (status.size > MAX_MANIFEST_BYTES) {
      const message = `package.json has ${status.size} bytes; a manifest may have at most ${MAX_MANIFEST_BYTES}`;
      return bad(null, [manifestProblem(place, [], message, 'move what is not the manifest into a file of its own')]);
    }
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') {
      return bad(null, [manifestProblem(place, [], `package.json cannot be read: ${messageOf(error)}`)]);
    }
    if (!isFolder(directory)) return { kind: 'gone' };
    const message = 'there is no package.json, so it is no plugin bundle';
    const fix = `write one such as ${MANIFEST_EXAMPLE}, or rename it to begin with '_' to have it left alone`;
    return bad(null, [manifestProblem(place, [], message, fix)]);
  }
}

/** Positions come from the YAML reader, the value from JSON.parse as Node itself would read it. */
function positions(file: string, text: string): Positioned | null {
  try {
    const parsed = parseYamlText(file, text);
    return parsed.kind === 'ok' ? parsed.document : null;
  } catch {
    return null;
  }
}

/** Real path of the entry, or what is wrong with it. */
function vetEntry(directory: string, main: string, place: Place): string | Problem {
  const fault = (message: string, fix: string): Problem =>
    problemAt(place, ['main'], { code: 'HOST_ERR_BUNDLE_ENTRY', message, fix });
  if (isAbsolute(main) || main.includes('\0')) {
    return fault(
      `the entry '${main.slice(0, 200)}' must be a path relative to the bundle`,
      "write for example 'index.ts'",
    );
  }
  const outside = fault(
    `the entry '${main.slice(0, 200)}' lies outside the bundle`,
    'main must name a file inside the bundle',
  );
  // Judged as written before it is looked up, so that a manifest cannot ask which files of the machine exist.
  if (!coversFolder(resolve(directory), resolve(directory, main))) return outside;
  try {
    const entry = realpathSync(resolve(directory, main));
    if (!coversFolder(realpathSync(directory), entry)) return outside;
    if (!statSync(entry).isFile())
      return fault(`the entry '${main}' is not a file`, 'main must name a file inside the bundle');
    return vetExtension(entry, main, fault) ?? entry;
  } catch {
    return fault(
      `the entry '${main.slice(0, 200)}' does not exist`,
      'main must name a file inside the bundle; is the bundle complete?',
    );
  }
}

function vetExtension(entry: string, main: string, fault: (message: string, fix: string) => Problem): Problem | null {
  const extension = extname(entry);
  if (!ENTRY_EXTENSIONS.includes(extension)) {
    return fault(
      `the entry '${main}' is no JavaScript or TypeScript`,
      `it must end in one of ${ENTRY_EXTENSIONS.join(' ')}`,
    );
  }
  if (extension.endsWith('ts') && entry.split(sep).includes('node_modules')) {
    return fault(
      `the entry '${main}' is TypeScript below a node_modules folder, where Node does not strip types`,
      'ship it as .js, or move the bundle out of node_modules',
    );
  }
  return null;
}

function bad(value: unknown, problems: readonly Problem[]): ManifestRead {
  const name = valueAt(value, ['name']);
  const version = valueAt(value, ['version']);
  return {
    kind: 'bad',
    name: typeof name === 'string' && /^[a-z][a-z0-9-]{0,63}$/.test(name) ? name : null,
    version: typeof version === 'string' ? version.slice(0, 64) : '',
    problems,
  };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
