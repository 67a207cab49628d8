// Runs in the plugin's thread.
/**
 * Where a bundle has a syntax error. V8 keeps that to itself when a module is imported, so the files are read once more, by what takes
 * types out of TypeScript: it reads JavaScript as well, and says the line.
 */

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, resolve } from 'node:path';

const MAX_FILES = 200;
const MAX_LENGTH = 1024 * 1024;
/** `from './x.js'`, `import './x.js'`, `import('./x.js')`. */
const RELATIVE = /\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+)['"]/g;

export interface SyntaxPlace {
  readonly file: string;
  readonly line: number;
  /** The lines around it, with a mark below the place. */
  readonly frame: string;
}

/** The entry first, then what it imports of the bundle's own files. Null when all of them can be read. */
export function syntaxPlace(entry: string): SyntaxPlace | null {
  const files = [entry];
  for (let index = 0; index < files.length && index < MAX_FILES; index += 1) {
    const file = files[index] as string;
    const source = textOfFile(file);
    const place = placeIn(file, source);
    if (place !== null) return place;
    for (const [, path = ''] of source.matchAll(RELATIVE)) {
      const target = resolve(dirname(file), path);
      if (!files.includes(target)) files.push(target);
    }
  }
  return null;
}

function placeIn(file: string, source: string): SyntaxPlace | null {
  try {
    stripTypeScriptTypes(source);
    return null;
  } catch (error) {
    // `:5`, lines of the file, an empty line, and then the error itself.
    const [, line, frame] = /^:(\d+)\n([\s\S]*?)\n\nSyntaxError/.exec(String((error as Error).stack)) ?? [];
    return line === undefined ? null : { file, line: Number(line), frame: frame ?? '' };
  }
}

function textOfFile(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    return text.length > MAX_LENGTH ? '' : text;
  } catch {
    return '';
  }
}
