import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { MAX_EVENT_BYTES } from '../../ipc/event.ts';
import {
  FRAME_MAX_EVENTS,
  FRAME_MAX_LENGTH,
  FRAME_MAX_TYPES,
  type Frame,
  FrameBuilder,
  frameFault,
  typeAt,
} from '../../ipc/frame.ts';

interface Given {
  readonly type: string;
  readonly line: string;
}

/** Mostly small lines, some as large as an event may be; few or many types. */
const given: fc.Arbitrary<Given> = fc.record(
  {
    type: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('a', 'b', '') }, fc.string({ maxLength: 256 })),
    line: fc.oneof(
      { weight: 20, arbitrary: fc.string({ maxLength: 40 }).map((text) => JSON.stringify({ text })) },
      { weight: 1, arbitrary: fc.integer({ min: 60_000, max: MAX_EVENT_BYTES }).map((length) => 'x'.repeat(length)) },
    ),
  },
  { noNullPrototype: true },
);

function cutAll(events: readonly Given[]): Frame[] {
  const builder = new FrameBuilder();
  const frames: Frame[] = [];
  for (const { type, line } of events) {
    builder.add(type, line);
    if (builder.isFull) frames.push(builder.cut(3, frames.length));
  }
  if (!builder.isEmpty) frames.push(builder.cut(3, frames.length));
  return frames;
}

function contentOf(frames: readonly Frame[]): Given[] {
  return frames.flatMap((frame) =>
    frame.lines.split('\n').map((line, index) => ({ type: typeAt(frame, index), line })),
  );
}

const GOOD: Frame = {
  kind: 'frame',
  generation: 1,
  sequence: 0,
  count: 3,
  types: ['a', 'b'],
  typeIndex: '\u0000\u0001\u0000',
  lines: '{}\n{}\n{}',
};

describe('frame', () => {
  it('carries any sequence of events unchanged and in order, and passes its own check', () => {
    fc.assert(
      fc.property(fc.array(given, { maxLength: 700, size: 'max' }), (events) => {
        const frames = cutAll(events);
        for (const frame of frames) assert.equal(frameFault(structuredClone(frame)), null);
        assert.deepEqual(contentOf(frames), events);
      }),
      { numRuns: 60 },
    );
  });

  it('is cut at each of its bounds: events, size, types', () => {
    const events = (count: number, each: (n: number) => Given): number[] =>
      cutAll(Array.from({ length: count }, (_, n) => each(n))).map((frame) => frame.count);
    assert.deepEqual(
      events(2 * FRAME_MAX_EVENTS + 1, () => ({ type: 'a', line: '{}' })),
      [FRAME_MAX_EVENTS, FRAME_MAX_EVENTS, 1],
    );
    assert.deepEqual(
      events(10, () => ({ type: 'a', line: 'x'.repeat(MAX_EVENT_BYTES) })),
      [4, 4, 2],
    );
    assert.deepEqual(
      events(FRAME_MAX_TYPES + 1, (n) => ({ type: `t${n}`, line: '{}' })),
      [FRAME_MAX_TYPES, 1],
    );
  });

  it('refuses to grow beyond its bounds', () => {
    const builder = new FrameBuilder();
    while (!builder.isFull) builder.add('a', '{}');
    assert.throws(() => builder.add('a', '{}'), { code: 'IPC_ERR_PROTOCOL' });
    assert.equal(builder.cut(1, 0).count, FRAME_MAX_EVENTS);
    assert.equal(builder.isEmpty, true);
  });

  it('stays within the largest size that the host takes, even when the last event is as large as it may be', () => {
    const builder = new FrameBuilder();
    for (let n = 0; n < 3; n += 1) builder.add('a', 'x'.repeat(MAX_EVENT_BYTES));
    builder.add('a', 'x'.repeat(MAX_EVENT_BYTES - 5));
    assert.equal(builder.isFull, false);
    builder.add('a', 'x'.repeat(MAX_EVENT_BYTES));
    const frame = builder.cut(1, 0);
    assert.ok(frame.lines.length <= FRAME_MAX_LENGTH);
    assert.equal(frameFault(frame), null);
  });
});

/** Nothing that survives a structured clone may be mistaken for a frame, or make the check throw. */
describe('frame fault', () => {
  const mutations: Record<string, readonly Record<string, unknown>[]> = {
    generation: [-1, 0.5, Number.NaN, '1', 2 ** 53, null, undefined, 1n].map((generation) => ({ generation })),
    sequence: [-1, 0.5, Number.POSITIVE_INFINITY, '0', {}, undefined].map((sequence) => ({ sequence })),
    count: [
      ...[0, -1, 2, 4, 1.5, '3', null, undefined, FRAME_MAX_EVENTS + 1, [3]].map((count) => ({ count })),
      { count: { toString: null, valueOf: null } },
    ],
    typeIndex: [
      '',
      '\u0000\u0001',
      '\u0000\u0001\u0000\u0000',
      '\u0000\u0002\u0000',
      '\uffff\u0000\u0000',
      null,
      [0, 1, 0],
    ].map((typeIndex) => ({ typeIndex })),
    types: [
      [],
      ['a'],
      ['a', 1],
      ['a', null],
      new Array(2),
      ['a', 'x'.repeat(257)],
      { 0: 'a', 1: 'b', length: 2 },
      new Uint8Array(2),
      'ab',
      null,
      Array.from({ length: FRAME_MAX_TYPES + 1 }, (_, n) => `t${n}`),
    ].map((types) => ({ types })),
    lines: [null, undefined, 3, ['{}', '{}', '{}'], 'x'.repeat(FRAME_MAX_LENGTH + 1)].map((lines) => ({ lines })),
  };
  for (const [field, changes] of Object.entries(mutations)) {
    it(`names what is wrong with ${field}`, () => {
      assert.equal(frameFault(GOOD), null);
      for (const change of changes) {
        const fault = frameFault(structuredClone({ ...GOOD, ...change }));
        assert.equal(typeof fault, 'string', `took a wrong ${field}: ${inspect(change).slice(0, 80)}`);
      }
    });
  }

  it('takes nothing that is not an object, and never throws', () => {
    for (const value of [null, undefined, 0, 1n, 'frame', true, [], new Map(), new Error('x'), () => 0]) {
      assert.equal(typeof frameFault(value), 'string');
    }
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withMap: true, withTypedArray: true, withDate: true }), (value) => {
        assert.equal(typeof frameFault(value), 'string');
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(GOOD)), fc.anything({ withBigInt: true }), (key, value) => {
        assert.doesNotThrow(() => frameFault({ ...GOOD, [key]: value }));
      }),
    );
  });
});
