import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FINDINGS } from '../../host/doctor/finding.ts';
import { readDoc, section, tableRows } from '../support/docs.ts';
import { sourceFiles } from '../support/source-files.ts';

describe('docs/doctor.md', () => {
  const rows = tableRows(section(readDoc('doctor.md'), '## What it finds'));

  it('says of each finding what the code says, and of no other', () => {
    assert.deepEqual(
      rows.map(([code, what]) => `${code}: ${what}`),
      Object.entries(FINDINGS).map(([code, what]) => `${code}: ${what}`),
    );
  });

  it('is about findings that are made', () => {
    const text = sourceFiles()
      .filter(({ path }) => /^host\/(doctor|commands)\//.test(path) && path !== 'host/doctor/finding.ts')
      .map((file) => file.text)
      .join('\n');
    assert.deepEqual(
      Object.keys(FINDINGS).filter((code) => !text.includes(`'${code}'`)),
      [],
    );
  });

  it('says where the doctor looks', () => {
    assert.deepEqual(
      rows.filter(([, , where = '']) => where === ''),
      [],
    );
  });
});
