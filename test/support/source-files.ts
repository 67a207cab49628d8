import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const ROOMS = ['host', 'ipc', 'plugins', 'bench', 'scripts'];

export interface SourceFile {
  /** From the root: `host/bus/lane.ts`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  /** Specifiers as written, static and dynamic, types included. */
  readonly imports: readonly string[];
}

export function sourceFiles(): SourceFile[] {
  return ROOMS.flatMap((room) => {
    const entries = readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
      .map((entry) => read(relative(ROOT, join(entry.parentPath, entry.name))));
  });
}

/** Where a relative import of `file` leads, from the root; null for a package or a Node module. */
export function targetOf(file: string, specifier: string): string | null {
  return specifier.startsWith('.') ? relative(ROOT, resolve(ROOT, file, '..', specifier)) : null;
}

function read(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const pattern = /\b(?:from\s+|import\s+|import\(\s*|new URL\(\s*)'([^']+)'/g;
  const imports = [...code.matchAll(pattern)].map((match) => match[1] ?? '');
  return { path, text: code, lines: text.split('\n').length - 1, imports };
}
