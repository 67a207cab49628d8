import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RECORDING_FIELDS } from '../../host/replay/recording-line.ts';
import { readDoc, section, tableRows } from '../support/docs.ts';

describe('docs/replay.md', () => {
  const text = readDoc('replay.md');

  for (const [kind, fields] of Object.entries(RECORDING_FIELDS)) {
    it(`has one row for each field of ${kind}, and none for any other`, () => {
      const documented = tableRows(section(text, `### \`${kind}\``)).map(([field]) => field ?? '');
      assert.deepEqual(documented.sort(), [...fields].sort());
    });
  }
});
