/**
 * The runtime's own files as the JavaScript that a new thread takes at once. A thread that had to take the types out of them itself
 * would need more than twice the time to start, at every crash again; so the host does it, once, for the first thread.
 */

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

export interface RuntimeCode {
  /** URL of the first module. */
  readonly entry: string;
  /** URL → JavaScript, of the entry and of all of ipc/ that it imports. */
  readonly sources: Readonly<Record<string, string>>;
}

const ENTRY = new URL('../../ipc/runtime/thread.ts', import.meta.url).href;
/** What a bundle imports as `khook/plugin`. */
const PLUGIN_API = new URL('../../ipc/plugin-api.ts', import.meta.url).href;
const RELATIVE_IMPORT = /^(?:import|export|\} from) ?[^'\n]*'(\.{1,2}\/[^']+\.ts)';$/gm;

/** What a thread evaluates first: serves each of the given modules once, under its own URL, and leaves all others to Node. */
export const THREAD_ENTRY = `'use strict';
const { registerHooks } = require('node:module');
const { entry, sources } = require('node:worker_threads').workerData.code;
const given = new Map(Object.entries(sources));
registerHooks({
  load(url, context, nextLoad) {
    const source = given.get(url);
    if (source === undefined) return nextLoad(url, context);
    given.delete(url);
    return { format: 'module', source, shortCircuit: true };
  },
});
import(entry);
`;

let code: RuntimeCode | null = null;

export function runtimeCode(): RuntimeCode {
  code ??= readCode();
  return code;
}

function readCode(): RuntimeCode {
  const sources: Record<string, string> = {};
  const add = (url: string): void => {
    if (url in sources) return;
    const source = stripTypeScriptTypes(readFileSync(new URL(url), 'utf8'));
    sources[url] = source;
    for (const [, path = ''] of source.matchAll(RELATIVE_IMPORT)) add(new URL(path, url).href);
  };
  add(ENTRY);
  add(PLUGIN_API);
  return { entry: ENTRY, sources };
}
