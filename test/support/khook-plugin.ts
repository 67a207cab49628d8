/** Lets a test import a bundle as an ordinary module: `khook/plugin` resolves to the public API, as the host makes it do at run time. */

import { registerHooks } from 'node:module';
import type { Plugin } from '../../ipc/plugin-api.ts';

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== 'khook/plugin') return next(specifier, context);
    return { url: new URL('../../ipc/plugin-api.ts', import.meta.url).href, shortCircuit: true };
  },
});

let instances = 0;

/**
 * A fresh instance of `plugins/<name>/index.ts`. Static imports are resolved before any hook exists, so a file that imports
 * `khook/plugin` as a value must come in through here.
 */
export async function importPlugin<Config>(name: string): Promise<Plugin<Config>> {
  instances += 1;
  const entry = new URL(`../../plugins/${name}/index.ts?instance=${instances}`, import.meta.url);
  return ((await import(entry.href)) as { default: Plugin<Config> }).default;
}
