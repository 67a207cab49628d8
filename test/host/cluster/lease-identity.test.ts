import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { leaseIdentity, podOf } from '../../../host/cluster/lease-identity.ts';
import { tempDir } from '../../support/temp-dir.ts';

describe('lease identity', () => {
  it('is the same in every life with the same pod and data folder', (t) => {
    const directory = tempDir(t);
    const identity = leaseIdentity({ pod: 'khook-7d9-x', directory });
    assert.match(identity, /^khook-7d9-x_[0-9a-f]{16}$/);
    assert.equal(leaseIdentity({ pod: 'khook-7d9-x', directory }), identity);
    assert.equal(podOf(identity), 'khook-7d9-x');
    assert.deepEqual(readdirSync(directory), ['instance']);
  });

  it('is another one in another pod, with another folder, and in each life without a folder', (t) => {
    const directory = tempDir(t);
    const options = { pod: 'a', directory };
    const identities = [
      leaseIdentity(options),
      leaseIdentity({ ...options, pod: 'b' }),
      leaseIdentity({ ...options, directory: tempDir(t) }),
      leaseIdentity({ ...options, directory: null }),
      leaseIdentity({ ...options, directory: null }),
      leaseIdentity({ ...options, directory: '/proc/no-such-folder' }),
    ];
    assert.equal(new Set(identities).size, identities.length);
  });

  it('is made anew where a crash or a hand left something else in the file', (t) => {
    const directory = tempDir(t);
    for (const left of ['', 'short', 'x'.repeat(100_000), '0123456789abcdef\n']) {
      writeFileSync(join(directory, 'instance'), left);
      const identity = leaseIdentity({ pod: 'a', directory });
      assert.match(identity, /^a_[0-9a-f]{16}$/);
      assert.equal(leaseIdentity({ pod: 'a', directory }), identity);
    }
  });
});
