/** Makes a bundle out of a body: its manifest, its stage, and an entry with the text of its deeds. */

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Body, Deed, Place, Tier } from './body.ts';

export function writeBundle(directory: string, body: Body, place: Place): void {
  mkdirSync(directory, { recursive: true });
  const khook = {
    apiVersion: 1,
    eventTypes: ['happened'],
    ...(body.permissions !== undefined && { permissions: body.permissions(place) }),
  };
  const manifest = { name: body.name, version: '1.0.0', type: 'module', main: 'index.js', khook };
  copyFileSync(join(import.meta.dirname, 'stage.ts'), join(directory, 'stage.ts'));
  writeFileSync(join(directory, 'index.js'), body.module ?? entryText(body));
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
}

function entryText({ deeds }: Body): string {
  const texts = (Object.entries(deeds) as [string, Deed][]).map(([name, deed]) => `  ${name}: ${String(deed)},`);
  return `import { stage } from './stage.ts';\n\nexport default stage({\n${texts.join('\n')}\n});\n`;
}

/** The body's entry in plugins.yaml; JSON is YAML. */
export function pluginEntry(body: Body, options: { place: Place; tier: Tier; enabled: boolean }): string {
  const { place, tier, enabled } = options;
  return JSON.stringify({
    name: body.name,
    enabled,
    isolation: tier,
    config: place,
    ...(body.permissions !== undefined && { permissions: body.permissions(place) }),
    ...(body.rateLimit !== undefined && { rateLimit: body.rateLimit }),
    limits: { startTimeout: '10s', stopTimeout: '1s', ...body.limits },
  });
}
