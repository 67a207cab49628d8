import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder of the test's own, removed after it. */
export function tempDir(t: Pick<TestContext, 'after'>): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'khook-test-')));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
