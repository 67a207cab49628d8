/** Bundles written to disk, for the tests of what reads them. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BundleShelf, type ShelfView } from '../../../host/config/bundle-shelf.ts';
import { DEFAULT_SETTINGS } from '../../../host/config/settings.ts';
import { FakeClock } from '../../support/fake-clock.ts';

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

/** All that is there now, whether it has stopped growing or not. */
export async function scanBundles(pluginsDirectory: string): Promise<ShelfView> {
  const shelf = new BundleShelf({ clock: new FakeClock(), dataDirectory: null });
  const view = await shelf.look({ pluginsDirectory, takeGrowing: true, archives: DEFAULT_SETTINGS.archives });
  await shelf.close();
  return view;
}

export function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
