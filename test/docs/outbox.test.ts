import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FAULT_KINDS, OutboxFileError, storageFault } from '../../host/dispatch/storage-fault.ts';
import { readDoc, section, tableRows } from '../support/docs.ts';

describe('docs/outbox.md', () => {
  const rows = tableRows(section(readDoc('outbox.md'), '## When it cannot be written'));

  it('has one row for each fault, and none for any other', () => {
    assert.deepEqual(rows.map(([kind]) => kind).sort(), [...FAULT_KINDS].sort());
  });

  it('is about faults that say where, what to do and what is lost', () => {
    for (const kind of FAULT_KINDS) {
      for (const isKnown of [true, false]) {
        const fault = storageFault(new OutboxFileError(kind, 'the cause'), { path: '/data/outbox.db', isKnown });
        assert.match(fault?.message ?? '', /\/data\/outbox\.db/, kind);
        assert.match(fault?.message ?? '', /khook|--data/, kind);
        assert.match(fault?.message ?? '', /lost|leaves it as it is|stop the other one/, kind);
      }
    }
  });
});
