import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type ServerSentEvent, serverSentEvents } from '../../../host/commands/server-sent.ts';

async function read(pieces: readonly Uint8Array[]): Promise<ServerSentEvent[]> {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* pieces;
  }
  return Array.fromAsync(serverSentEvents(body()));
}

describe('server-sent events', () => {
  it('are the same however the bytes are cut', async () => {
    const event = fc.tuple(fc.constantFrom('event', 'config'), fc.json()).map(([name, data]) => ({ name, data }));
    await fc.assert(
      fc.asyncProperty(fc.array(event), fc.array(fc.nat(300)), async (events, cuts) => {
        const text = events.map(({ name, data }) => `:\n\nevent: ${name}\ndata: ${data}\n\n`).join('');
        const bytes = new TextEncoder().encode(text);
        const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((place, n) => bytes.subarray(places[n], place));
        assert.deepEqual(await read(pieces), events);
      }),
    );
  });

  it('leave out what is not complete', async () => {
    assert.deepEqual(await read([new TextEncoder().encode('event: a\ndata: 1\n\nevent: b\ndata: {"x"')]), [
      { name: 'a', data: '1' },
    ]);
  });
});
