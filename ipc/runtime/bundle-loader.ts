// Runs in the plugin's thread.
/** Gives bundles the module `khook/plugin`, as an editor gives its own API to extensions, and imports a bundle's entry. */

import { registerHooks } from 'node:module';

const PLUGIN_API = new URL('../plugin-api.ts', import.meta.url).href;

/** From here on `import … from 'khook/plugin'` finds the host's API, wherever the bundle lies. */
export function supplyPluginApi(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      return specifier === 'khook/plugin' ? { url: PLUGIN_API, shortCircuit: true } : nextResolve(specifier, context);
    },
  });
}

/** Calls of a plugin go through guards, whose frames would leave none of the usual ten for the plugin's own. */
const STACK_FRAMES = 25;

export function loadBundle(url: string): Promise<unknown> {
  Error.stackTraceLimit = STACK_FRAMES;
  return import(url);
}
