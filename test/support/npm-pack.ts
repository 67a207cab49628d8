/** What a user does to have an archive: writes a plugin and runs `npm pack` in its folder. */

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface WrittenPlugin {
  readonly name: string;
  readonly version?: string;
  /** Text of index.ts. */
  readonly code: string;
  /** Further fields of package.json. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly khook?: Readonly<Record<string, unknown>>;
  /** Further files. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Writes the plugin into the folder. */
export function writePlugin(
  folder: string,
  { name, version = '1.0.0', code, manifest, khook, files }: WrittenPlugin,
): void {
  const own = { apiVersion: 1, eventTypes: ['happened'], ...khook };
  const json = JSON.stringify({ name, version, type: 'module', main: 'index.ts', khook: own, ...manifest });
  for (const [path, text] of Object.entries({ 'package.json': json, 'index.ts': code, ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** The real `npm pack`. Returns the path of the archive, which lies in the folder. */
export async function npmPack(folder: string): Promise<string> {
  const env = { PATH: process.env.PATH ?? '', HOME: folder, npm_config_update_notifier: 'false' };
  const { stdout } = await run('npm', ['pack', '--silent', '--cache', join(folder, '.npm-cache')], {
    cwd: folder,
    env,
  });
  return join(folder, stdout.trim());
}
