/** Bundles written to disk, for the tests of what reads them. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface WrittenBundle {
  readonly name?: string;
  readonly version?: string;
  readonly main?: string;
  readonly khook?: Record<string, unknown>;
}

export function packageJson({
  name = 'webhook',
  version = '1.0.0',
  main = 'index.ts',
  khook = {},
}: WrittenBundle): string {
  const manifest = {
    name,
    version,
    type: 'module',
    main,
    khook: { apiVersion: 1, eventTypes: ['something-happened'], ...khook },
  };
  return JSON.stringify(manifest, null, 2);
}

/** Writes a bundle whose folder has its name, and returns the folder. */
export function writeBundle(
  pluginsDirectory: string,
  bundle: WrittenBundle = {},
  folder = bundle.name ?? 'webhook',
): string {
  const directory = join(pluginsDirectory, folder);
  writeFiles(directory, { 'package.json': packageJson(bundle), 'index.ts': 'export default 1;\n' });
  return directory;
}

export function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
