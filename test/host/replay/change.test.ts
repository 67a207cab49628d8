import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Change, changesOf, type SideView, sideKey, withoutMarks } from '../../../host/replay/change.ts';

const SENT: SideView = { configuration: 0, agent: 'shop/a', state: 'sent', detail: '', prompt: null, problem: null };

function side(view: Partial<SideView> | null): Parameters<typeof changesOf>[0]['now'] {
  if (view === null) return new Map();
  const where = { hook: 'shop/h', place: 0 };
  return new Map([[sideKey(where), { ...SENT, ...view, ...where }]]);
}

function change(
  before: Partial<SideView> | null,
  now: Partial<SideView> | null,
  isBeforeComplete = true,
): Change | null {
  const changes = changesOf({ before: side(before), now: side(now), isBeforeComplete });
  assert.ok(changes.length <= 1);
  return changes[0] ?? null;
}

describe('change', () => {
  it('is what went out before and does not now, or the other way round', () => {
    const silent = { state: 'silent' } as const;
    const held = { state: 'held' } as const;
    assert.equal(change({}, {})?.kind, 'same');
    for (const not of [null, silent]) {
      assert.equal(change({}, not)?.kind, 'gone');
      assert.equal(change(held, not)?.kind, 'gone');
      assert.equal(change(not, {})?.kind, 'new');
      assert.equal(change(not, held)?.kind, 'new');
      assert.equal(change(not, null), null);
      assert.equal(change(not, silent), null);
    }
  });

  it('is another agent, another time, another prompt', () => {
    assert.deepEqual(change({}, { agent: 'shop/b' })?.what, ['agent shop/b in place of shop/a']);
    assert.deepEqual(change({}, { state: 'held' })?.what, ['held for a digest']);
    assert.deepEqual(change({ state: 'held' }, {})?.what, ['goes out at once, not with a digest']);
    assert.deepEqual(change({ prompt: 'a' }, { prompt: 'b' })?.what, ['another prompt']);
    assert.deepEqual(change({ prompt: 'a' }, { prompt: 'b', problem: '1:1: no' })?.what, [
      'its prompt is the raw text: 1:1: no',
    ]);
    assert.equal(change({ prompt: 'a' }, { prompt: 'b', agent: 'x/y' })?.kind, 'changed');
  });

  it('is no other prompt where one of them is not known, or only the marks of the fence differ', () => {
    assert.equal(change({}, { prompt: 'b' })?.kind, 'same');
    const fenced = (code: string): string => `<untrusted-event-data-${code}>x</untrusted-event-data-${code}>`;
    assert.equal(change({ prompt: fenced('0123456789ab') }, { prompt: fenced('ba9876543210') })?.kind, 'same');
    assert.equal(withoutMarks(fenced('0123456789ab')), '<untrusted-event-data>x</untrusted-event-data>');
  });

  it('is nothing new where it is not known what there was', () => {
    assert.equal(change(null, {}, false)?.kind, 'same');
    assert.equal(change({ state: 'silent' }, {}, false)?.kind, 'new');
  });
});
