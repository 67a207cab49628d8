import { readFileSync } from 'node:fs';

/** Of package.json, which is the only place that states it. */
export function khookVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(manifest) as { version: unknown }).version);
}
