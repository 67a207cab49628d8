/** Reads one YAML (or JSON) file with positions. Whatever the file holds, the answer is data: a value or Problems, never a throw. */

import { readFileSync, statSync } from 'node:fs';
import { LineCounter, parseAllDocuments } from 'yaml';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import type { Position, Positioned } from './place.ts';
import type { Problem } from './problem.ts';
import { toPlain, UnusableNode } from './yaml-plain.ts';
import { offsetOf } from './yaml-position.ts';

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_DOCUMENTS = 1_000;
/** One broken bracket can make the parser complain a thousand times; the first complaints say it all. */
const MAX_PROBLEMS = 10;
const READ_FIX = 'check its permissions, and those of the folders above it';

export interface YamlDocument extends Positioned {
  readonly file: string;
}

/** `document` is the first of `documents`; an empty file has one, of value null. */
export type YamlText =
  | { readonly kind: 'ok'; readonly document: YamlDocument; readonly documents: readonly YamlDocument[] }
  | { readonly kind: 'bad'; readonly problems: readonly Problem[] };

export type YamlRead = YamlText | { readonly kind: 'missing' };

/** Follows links, as mounted ConfigMaps need. Anything but a regular file of at most 1 MiB is refused without being opened. */
export function readYamlFile(path: string): YamlRead {
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return bad(path, 'is not a file', 'name a YAML file');
    if (stats.size > MAX_FILE_BYTES)
      return bad(path, `has ${stats.size} bytes, more than 1 MiB`, 'split or shorten it');
    const bytes = readFileSync(path);
    if (isUtf16(bytes)) return bad(path, 'is written in UTF-16', 'save it as UTF-8');
    return parseYamlText(path, bytes.toString('utf8'));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    const fix = code === 'ELOOP' ? 'it is a link that leads back to itself: link it to the file' : READ_FIX;
    return bad(path, `cannot be read: ${messageOf(error)}`, fix);
  }
}

/** By its mark: what Notepad called Unicode. */
function isUtf16(bytes: Buffer): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

/** `file` is only a name for messages. */
export function parseYamlText(file: string, text: string): YamlText {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) return bad(file, 'has more than 1 MiB', 'split or shorten it');
  try {
    return parse(file, text);
  } catch (error) {
    return bad(file, `cannot be parsed: ${messageOf(error)}`, 'check it with a YAML linter');
  }
}

function parse(file: string, text: string): YamlText {
  const lines = new LineCounter();
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  // The library looks for equal keys in quadratic time; toPlain does it while it copies.
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'silent',
    uniqueKeys: false,
  });
  if (!Array.isArray(parsed) || parsed.length === 0) {
    const empty: YamlDocument = { file, value: null, at: () => ({ line: 1, column: 1 }) };
    return { kind: 'ok', document: empty, documents: [empty] };
  }
  if (parsed.length > MAX_DOCUMENTS) return bad(file, `has more than ${MAX_DOCUMENTS} documents`, 'split it');
  const problems: Problem[] = [];
  const documents: YamlDocument[] = [];
  for (const document of parsed) {
    for (const { message, pos } of [...document.errors, ...document.warnings].slice(0, MAX_PROBLEMS)) {
      problems.push(yamlProblem(file, message, positionAt(pos[0])));
    }
    if (document.errors.length > 0) continue;
    try {
      const { value, targets } = toPlain(document);
      const at: YamlDocument['at'] = (path, part) => positionAt(offsetOf({ document, targets }, path, part));
      documents.push({ file, value, at });
    } catch (error) {
      if (!(error instanceof UnusableNode)) throw error;
      problems.push(yamlProblem(file, error.message, positionAt(error.offset)));
    }
  }
  const [document] = documents;
  if (problems.length > 0 || document === undefined) return { kind: 'bad', problems: firstOfEach(problems) };
  return { kind: 'ok', document, documents };
}

/** The parser repeats itself when it has lost its way. */
function firstOfEach(problems: readonly Problem[]): readonly Problem[] {
  const byText = new Map(problems.toReversed().map((problem) => [`${problem.line} ${problem.message}`, problem]));
  return problems
    .filter((problem) => byText.get(`${problem.line} ${problem.message}`) === problem)
    .slice(0, MAX_PROBLEMS);
}

function yamlProblem(file: string, message: string, position: Position | null): Problem {
  return {
    code: 'HOST_ERR_CONFIG_FILE',
    message: `invalid YAML: ${message}`,
    file,
    line: position?.line ?? null,
    column: position?.column ?? null,
    path: '',
    fix: '',
    subject: '',
  };
}

function bad(file: string, what: string, fix: string): { kind: 'bad'; problems: readonly Problem[] } {
  const message = `configuration file ${file} ${what}`;
  return {
    kind: 'bad',
    problems: [{ code: 'HOST_ERR_CONFIG_FILE', message, file, line: null, column: null, path: '', fix, subject: '' }],
  };
}
