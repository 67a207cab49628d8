import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { forwardOutput } from '../../../host/sandbox/output-lines.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { VesselRecorder } from '../../support/vessel-recorder.ts';

interface Output {
  readonly stream: PassThrough;
  readonly clock: FakeClock;
  readonly seen: VesselRecorder;
}

function open(): Output {
  const output = { stream: new PassThrough(), clock: new FakeClock(), seen: new VesselRecorder() };
  forwardOutput(output.stream, { level: 'error', clock: output.clock, listener: output.seen });
  return output;
}

const messages = ({ seen }: Output): string[] => seen.logs.map(({ message }) => message);

describe('output lines', () => {
  it('are whole, whatever the pieces in which they come', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !/[\n\r]/.test(text));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 20 }),
        fc.array(fc.nat(40), { maxLength: 40 }),
        async (lines, cuts) => {
          const output = open();
          let rest = Buffer.from(lines.join('\n'));
          for (const cut of cuts) {
            output.stream.write(rest.subarray(0, cut));
            rest = rest.subarray(cut);
          }
          output.stream.end(rest);
          await settle();
          assert.deepEqual(
            messages(output),
            lines.filter((text) => text !== ''),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('carry their level and the time', async () => {
    const output = open();
    output.stream.write('panic\n');
    await settle();
    assert.deepEqual(output.seen.logs, [{ level: 'error', message: 'panic', at: output.clock.wall(), fields: '' }]);
  });

  it('end without a carriage return', async () => {
    const output = open();
    output.stream.end('one\r\ntwo\r\n');
    await settle();
    assert.deepEqual(messages(output), ['one', 'two']);
  });

  it('are bounded in length, also when no end of the line ever comes', async () => {
    const output = open();
    for (let n = 0; n < 20; n += 1) output.stream.write('x'.repeat(5_000));
    await settle();
    // What has no end is said in pieces: it is not gathered in the host's memory.
    assert.ok(output.seen.logs.length >= 9);
    output.stream.end(`\n${'y'.repeat(50_000)}\nend`);
    await settle();
    for (const { message } of output.seen.logs) assert.ok(message.length <= 8_192);
    assert.equal(messages(output).at(-1), 'end');
    assert.ok(output.seen.logs.length <= 22);
  });

  it('are bounded per second, and what is over the bound is counted', async () => {
    const output = open();
    output.stream.write('line\n'.repeat(1_000));
    await settle();
    assert.deepEqual([output.seen.logs.length, output.seen.dropped], [200, 800]);
    await output.clock.advance(1_000);
    output.stream.write('again\n');
    await settle();
    assert.equal(messages(output).at(-1), 'again');
  });

  it('survive a stream that breaks', async () => {
    const output = open();
    output.stream.write('last words\n');
    await settle();
    output.stream.destroy(new Error('the thread is gone'));
    await settle();
    assert.deepEqual(messages(output), ['last words']);
  });
});
