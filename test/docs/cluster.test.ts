import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EVENT_REASONS } from '../../host/cluster/event-words.ts';
import { hookStatusSchema } from '../../host/config/hook-status.ts';
import { readDoc, section, tableRows } from '../support/docs.ts';
import { sourceFiles } from '../support/source-files.ts';

const text = readDoc('cluster.md');

function source(path: string): string {
  return sourceFiles().find((file) => file.path === path)?.text ?? '';
}

describe('docs/cluster.md', () => {
  it('has one row for each reason of an Event, with its type, and none for any other', () => {
    const rows = tableRows(section(text, '## Events')).map(([type, reason]) => `${type} ${reason}`);
    const words = source('host/cluster/event-words.ts');
    const said = EVENT_REASONS.map(
      (reason) => `${words.includes(`'Warning', '${reason}'`) ? 'Warning' : 'Normal'} ${reason}`,
    );
    assert.deepEqual(rows.sort(), said.sort());
  });

  it('has one row for each field of the status, and names every reason of a condition', () => {
    const rows = tableRows(section(text, '## Status'));
    const fields = new Set(rows.map(([field = '']) => field.replaceAll('`', '').split(' ')[0]));
    assert.deepEqual([...fields].sort(), Object.keys(hookStatusSchema.shape).sort());
    const reasons = [...source('host/cluster/hook-conditions.ts').matchAll(/judged\('\w+', '(\w+)'/g)].map(
      ([, name = '']) => name,
    );
    assert.ok(reasons.length >= 7);
    for (const reason of reasons) assert.ok(text.includes(`\`${reason}\``), reason);
  });
});
