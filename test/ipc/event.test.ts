import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { eventId } from '../../ipc/event.ts';

describe('event id', () => {
  it('is different for different ordinals and names its ordinal in base 36', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        assert.equal(eventId('webhook-r-1', a) === eventId('webhook-r-1', b), a === b);
        assert.equal(Number.parseInt(eventId('webhook-r-1', a).split('-').at(-1) ?? '', 36), a);
      }),
    );
  });
});
