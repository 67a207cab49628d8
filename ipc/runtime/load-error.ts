// Runs in the plugin's thread.
/** Why a bundle could not be imported, for who wrote it: the file and line, what is wrong, and what to do where Node does not say it. */

import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CodedError, codeOf, messageOf, toWireError } from '../errors.ts';
import { isPluginFrame } from '../plugin-frames.ts';
import { syntaxPlace } from './syntax-place.ts';

const EXTENSIONS = ['.ts', '.js', '.mjs', '.cjs', '/index.ts', '/index.js'];

interface Place {
  readonly file: string;
  readonly line: number;
}

/** Never throws: a plugin's code may have run by then, and have spoiled anything. */
export function loadError(error: unknown, entry: string): CodedError {
  try {
    return told(error, entry);
  } catch {
    return coded(messageOf(error), '');
  }
}

function told(error: unknown, entry: string): CodedError {
  const { message, stack } = toWireError(error, 'PLUGIN_ERR_LOAD');
  const code = codeOf(error);
  const [firstLine = ''] = message.split('\n', 1);
  const hidden = placeOf(stack) === null && isSyntaxError(error) ? syntaxPlace(fileURLToPath(entry)) : null;
  const place = hidden ?? placeOf(stack);
  const where = place === null || message.includes(place.file) ? '' : `${place.file}:${place.line}: `;
  const whence = place === null ? origin(error, entry) : '';
  const what = code === '' || firstLine.includes(code) ? firstLine : `${firstLine} (${code})`;
  const remedy = remedyOf(error, { message, code, file: place?.file ?? '' });
  const frames = hidden === null ? stack : `${hidden.file}:${hidden.line}\n${hidden.frame}\n\n${stack}`;
  return coded(`${where}${what}${whence}${remedy === null ? '' : `; ${remedy}`}`, frames);
}

function coded(text: string, stack: string): CodedError {
  const error = new CodedError('PLUGIN_ERR_LOAD', `the bundle's entry could not be imported: ${text}`, {
    kind: 'plugin',
  });
  // Its own frames would show where khook imports bundles.
  error.stack = stack === '' ? `Error: ${text}` : framesOfBundle(stack);
  return error;
}

/** As near as it can be told where no line is known. */
function origin(error: unknown, entry: string): string {
  const first = (error as { requireStack?: unknown[] } | null)?.requireStack?.[0];
  if (typeof first === 'string') return `, required by ${first}`;
  return isSyntaxError(error) ? `, in ${fileURLToPath(entry)} or a file that it imports` : '';
}

/** None, where only Node and khook were at work: a file was looked for, or could not be read as code. */
function framesOfBundle(stack: string): string {
  const lines = stack.split('\n').filter((line) => !/^ +at /.test(line) || isPluginFrame(line));
  return lines.join('\n').trimEnd();
}

function isSyntaxError(error: unknown): boolean {
  return error instanceof Error && error.name === 'SyntaxError';
}

/** A frame of source stands in front of a syntax error (`/x/index.ts:3`); else the first call that is not of Node or khook. */
function placeOf(stack: string): Place | null {
  const [, top, topLine] = /^((?:file:\/\/)?\/[^\n]*?):(\d+)\n/.exec(stack) ?? [];
  if (top !== undefined) return { file: pathOf(top), line: Number(topLine) };
  for (const [frame, at = '', line] of stack.matchAll(/^ +at (?:.*\()?((?:file:\/\/)?\/[^\n]*?):(\d+):\d+\)?$/gm)) {
    if (isPluginFrame(frame)) return { file: pathOf(at), line: Number(line) };
  }
  return null;
}

function pathOf(text: string): string {
  return text.startsWith('file://') ? fileURLToPath(text) : text;
}

interface Said {
  readonly message: string;
  readonly code: string;
  /** Where it was thrown, or empty. */
  readonly file: string;
}

function remedyOf(error: unknown, { message, code, file }: Said): string | null {
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return missing(error, message);
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING')
    return 'a dependency must be JavaScript: compile it before it is packed';
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX')
    return 'types are only taken out: write it without enum, namespace, parameter properties and decorators, or build the bundle to JavaScript';
  if (/Cannot use import statement outside a module|Unexpected token 'export'/.test(message))
    return 'to write ES modules, put "type": "module" into its package.json';
  if (/ is not defined in ES module scope/.test(message))
    return 'its package.json says "type": "module"; for require and module.exports write "type": "commonjs"';
  if (/does not provide an export named/.test(message) && file.endsWith('.ts'))
    return 'if it is a type, import it by `import type`';
  if (/^Cannot access '.+' before initialization/.test(message))
    return 'it is used before its file was evaluated, as happens when files import each other in a circle';
  return null;
}

/** A file of the bundle itself is not there, or a package. */
function missing(error: unknown, message: string): string {
  const url = (error as { url?: unknown }).url;
  const path = typeof url === 'string' && url.startsWith('file://') ? fileURLToPath(url) : null;
  if (path === null && !/^Cannot find module '[./]/.test(message))
    return "it must be in the bundle, in its node_modules (npm install), and npm pack takes along only the dependencies that 'bundleDependencies' names";
  const stems = path === null ? [] : [path, path.replace(/\.[cm]?js$/, '')];
  const found = stems
    .flatMap((stem) => EXTENSIONS.map((extension) => `${stem}${extension}`))
    .find((name) => existsSync(name));
  if (found === undefined || path === null) return 'is the bundle complete?';
  const name = found.startsWith(path) ? `${basename(path)}${found.slice(path.length)}` : basename(found);
  return `there is ${name}: an import names the file as it is, with its extension`;
}
