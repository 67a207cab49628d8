/** What an entry of an archive is called, as a path below the bundle. A name that could mean something else to another system is refused. Pure. */

const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 1_024;
/** Control and format characters, line breaks of Unicode, and what stands for bytes that are no UTF-8. */
const UNFIT = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u;

export type EntryPath =
  /** No parts: the entry is the root of the archive itself. */
  | { readonly kind: 'ok'; readonly parts: readonly string[] }
  /** `why` goes on after "the name of an entry": `holds a backslash`. */
  | { readonly kind: 'bad'; readonly why: string };

export function readEntryPath(name: string): EntryPath {
  const bad = (why: string): EntryPath => ({ kind: 'bad', why });
  if (name === '') return bad('is empty');
  if (UNFIT.test(name)) return bad('holds a character that is no part of a file name');
  if (name.includes('\\')) return bad('holds a backslash');
  if (name.startsWith('/')) return bad('is an absolute path');
  if (Buffer.byteLength(name) > MAX_PATH_BYTES) return bad(`has more than ${MAX_PATH_BYTES} bytes`);
  // tar writes `./package/index.ts` when it is told to pack `./package`.
  const plain = name.replace(/^\.\//, '').replace(/\/$/, '');
  const parts = plain === '' ? [] : plain.split('/');
  if (parts.includes('..')) return bad("holds '..'");
  if (parts.includes('.') || parts.includes('')) return bad('has an empty part');
  if (parts.some((part) => Buffer.byteLength(part) > MAX_NAME_BYTES))
    return bad(`has a part of more than ${MAX_NAME_BYTES} bytes`);
  return { kind: 'ok', parts };
}

/** The name for a message: bounded, and without what would mislead whoever reads it. */
export function showEntry(name: string): string {
  const shown = name
    .slice(0, 200)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`);
  return `'${shown}${name.length > 200 ? '…' : ''}'`;
}

/** Equal for two paths that are one on a system that does not tell cases or compositions of letters apart. */
export function foldPath(path: string): string {
  return path.normalize('NFC').toLowerCase().normalize('NFC');
}
