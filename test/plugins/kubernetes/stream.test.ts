import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { linesOf, readText } from '../../../plugins/kubernetes/stream.ts';

async function linesFrom(chunks: Iterable<Buffer>): Promise<string[]> {
  return Array.fromAsync(linesOf(Readable.from(chunks), { silenceMs: 5_000 }));
}

function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let i = 0; at < bytes.length; i += 1) {
    const size = sizes[i % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

test('lines: are the same, however the bytes are cut', async () => {
  const line = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((text) => text.trim() !== '' && !text.includes('\n'));
  const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(line), sizes, async (lines, given) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      assert.deepEqual(await linesFrom(cut(bytes, given)), lines);
    }),
    { numRuns: 50 },
  );
});

test('lines: a last line that was cut off is dropped, an empty one is skipped', async () => {
  assert.deepEqual(await linesFrom([Buffer.from('one\n\ntwo\nthr')]), ['one', 'two']);
});

test('lines: one without an end is refused before it fills the memory', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  await assert.rejects(linesFrom(Array.from({ length: 20 }, () => chunk)), /longer than/);
});

test('text: more than the limit is refused', async () => {
  const stream = Readable.from([Buffer.alloc(10), Buffer.alloc(10)]);
  await assert.rejects(readText(stream, { silenceMs: 5_000, maxBytes: 15 }), /larger than 15 bytes/);
  assert.equal(stream.destroyed, true);
});

test('text: silence is an error, a slow reader is not', async () => {
  const silent = new Readable({ read: () => {} });
  await assert.rejects(readText(silent, { silenceMs: 20, maxBytes: 1 }), /no data came for 0.02 s/);
  const lines: string[] = [];
  for await (const line of linesOf(Readable.from([Buffer.from('a\n'), Buffer.from('b\n')]), { silenceMs: 20 })) {
    await new Promise((resolve) => setTimeout(resolve, 40));
    lines.push(line);
  }
  assert.deepEqual(lines, ['a', 'b']);
});
