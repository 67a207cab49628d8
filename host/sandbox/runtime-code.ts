/**
 * The runtime's own files as the JavaScript that a new thread or process takes at once. One that had to take the types out of them
 * itself would need more than twice the time to start, at every crash again; so the host does it, once, for the first of them.
 */

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

export interface RuntimeCode {
  /** URL of the first module. */
  readonly entry: string;
  /** URL → JavaScript, of the entry and of all that it imports but Node's own modules. */
  readonly sources: Readonly<Record<string, string>>;
  /** Name of a package → URL of its module. */
  readonly packages: Readonly<Record<string, string>>;
}

const ENTRY = new URL('../../ipc/runtime/thread.ts', import.meta.url).href;
/** What a bundle imports as `khook/plugin`. */
const PLUGIN_API = new URL('../../ipc/plugin-api.ts', import.meta.url).href;
/** Of comlink, its ECMAScript module. */
const PACKAGES = { comlink: new URL('../esm/comlink.mjs', import.meta.resolve('comlink')).href };
const RELATIVE_IMPORT = /^(?:import|export|\} from) ?[^'\n]*'(\.{1,2}\/[^']+\.ts)';$/gm;

/**
 * Serves each of the given modules once, under its own URL, and leaves all others to Node. Until the runtime is there it also says where
 * they are: Node would look for each of them on the disk, which takes as long as all the rest.
 *
 * What is evaluated so has the names of a CommonJS module as globals, and in a process all builtins as well. They are taken away: an ES
 * module of the plugin would write its exports where nobody looks for them, and what it forgot to import would be found in one tier and not
 * in the other.
 */
const firstScript = (code: string): string => `'use strict';
const { builtinModules, registerHooks } = require('node:module');
const { entry, sources, packages } = ${code};
const given = new Map(Object.entries(sources));
const known = new Set(given.keys());
registerHooks({
  load(url, context, nextLoad) {
    const source = given.get(url);
    if (source === undefined) return nextLoad(url, context);
    given.delete(url);
    return { format: 'module', source, shortCircuit: true };
  },
});
const places = registerHooks({
  resolve(specifier, context, nextResolve) {
    const url = specifier.startsWith('.') ? new URL(specifier, context.parentURL).href : (packages[specifier] ?? specifier);
    return known.has(url) ? { url, shortCircuit: true } : nextResolve(specifier, context);
  },
});
// After this script: as it ends, Node puts back what it had moved aside for it.
queueMicrotask(() => {
  for (const name of ['require', 'module', 'exports', '__filename', '__dirname', ...builtinModules])
    if (!['console', 'crypto', 'process'].includes(name)) delete globalThis[name];
  import(entry).then(() => places.deregister());
});
`;

/** What a thread evaluates first. */
export const THREAD_ENTRY = firstScript("require('node:worker_threads').workerData.code");
/** What a child process evaluates first: the code comes as JSON on its standard input. */
export const PROCESS_ENTRY = firstScript("JSON.parse(require('node:fs').readFileSync(0, 'utf8'))");

const codes = new Map<string, RuntimeCode>();

/** `entry`: URL of the first module; default: that of a thread. */
export function runtimeCode(entry: string = ENTRY): RuntimeCode {
  const code = codes.get(entry) ?? readCode(entry);
  codes.set(entry, code);
  return code;
}

function readCode(entry: string): RuntimeCode {
  const sources: Record<string, string> = {};
  const add = (url: string): void => {
    if (url in sources) return;
    const source = stripTypeScriptTypes(readFileSync(new URL(url), 'utf8'));
    sources[url] = source;
    for (const [, path = ''] of source.matchAll(RELATIVE_IMPORT)) add(new URL(path, url).href);
  };
  add(entry);
  add(PLUGIN_API);
  for (const url of Object.values(PACKAGES)) sources[url] = readFileSync(new URL(url), 'utf8');
  return { entry, sources, packages: PACKAGES };
}
