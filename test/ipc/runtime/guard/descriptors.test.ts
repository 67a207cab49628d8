import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { tempDir } from '../../../support/temp-dir.ts';
import { type Attempted, attempt, results } from './attempts.ts';

const PORT = 9;

describe('guard: descriptors', () => {
  it('a plain worker opens as many as it likes', async (t) => {
    assert.deepEqual(results(await run(t, { isGuarded: false })), {
      'folders at once, with a callback': 40,
      'folders again after they were closed': 4,
      'groups joined by sockets that are not bound': 40,
      'datagram handles that receive': 40,
      'datagram handles that are connected': 40,
      'stream handles that are bound': 40,
    });
  });

  it('are counted whichever call opens them', async (t) => {
    assert.deepEqual(results(await run(t, { isGuarded: true })), {
      'folders at once, with a callback': 16,
      'folders again after they were closed': 4,
      'groups joined by sockets that are not bound': 8,
      'datagram handles that receive': 8,
      'datagram handles that are connected': 8,
      'stream handles that are bound': 8,
    });
  });

  it('are not opened for the network where nothing of it was granted', async (t) => {
    const {
      'folders at once, with a callback': _,
      'folders again after they were closed': __,
      ...network
    } = results(await run(t, { isGuarded: true, hasNet: false }));
    assert.deepEqual(new Set(Object.values(network).filter((value) => typeof value === 'number')), new Set([0]));
  });
});

async function run(
  t: TestContext,
  { isGuarded, hasNet = true }: { isGuarded: boolean; hasNet?: boolean },
): Promise<Attempted> {
  const directory = tempDir(t);
  return await attempt(t, 'descriptors', {
    isGuarded,
    hasNet,
    facts: { directory, port: PORT },
    read: [`${directory}/`],
    network: hasNet ? { connect: [`127.0.0.1:${PORT}`, `somewhere:${PORT}`] } : {},
    budget: { sockets: 8, files: 16 },
  });
}
