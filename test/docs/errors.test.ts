import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOST_ERRORS } from '../../host/base/errors.ts';
import { IPC_ERRORS } from '../../ipc/errors.ts';
import { readDoc, tableRows } from '../support/docs.ts';
import { sourceFiles } from '../support/source-files.ts';

const REGISTERED = [...Object.keys(HOST_ERRORS), ...Object.keys(IPC_ERRORS)].sort();
const REGISTRIES = ['host/base/errors.ts', 'ipc/errors.ts'];
const CODE = /\b(?:HOST|IPC|PLUGIN|EVENT)_ERR_[A-Z_]*[A-Z]\b/g;

/** Comments are no use of a code: `sourceFiles` leaves them out. */
function codesIn(files: readonly { readonly path: string; readonly text: string }[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { path, text } of files) {
    for (const [code] of text.matchAll(CODE)) found.set(code, [...(found.get(code) ?? []), path]);
  }
  return found;
}

describe('docs/errors.md', () => {
  const rows = tableRows(readDoc('errors.md'));

  it('has one row for each code of the registries, and none for any other', () => {
    assert.deepEqual(rows.map(([code = '']) => code).sort(), REGISTERED);
  });

  it('says of each code what it means and what to do', () => {
    for (const row of rows) {
      const [code = '', ...cells] = row;
      assert.equal(cells.length, 2, code);
      for (const cell of cells) assert.ok(cell !== '', code);
    }
  });

  it('is about codes that khook uses: none of the registries is dead', () => {
    const used = codesIn(
      sourceFiles().filter(({ path }) => /^(host|ipc|plugins)\//.test(path) && !REGISTRIES.includes(path)),
    );
    assert.deepEqual(
      REGISTERED.filter((code) => !used.has(code)),
      [],
    );
  });

  it('leaves out no code that khook uses: all of them are registered', () => {
    const used = codesIn(sourceFiles());
    const isKnown = (code: string): boolean =>
      REGISTERED.some((registered) => registered === code || registered.startsWith(`${code}_`));
    const strangers = [...used].filter(([code]) => !isKnown(code));
    assert.deepEqual(strangers, []);
  });
});
