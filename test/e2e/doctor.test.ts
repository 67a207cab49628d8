import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { FAULTS } from './doctor-faults.ts';
import { MENDED } from './doctor-mended.ts';
import { SLIPS } from './doctor-slips.ts';
import { findingsOf, healthy } from './doctor-support.ts';

describe('khook doctor', () => {
  it('finds nothing where nothing is wrong', async (t) => {
    const host = await healthy(t);
    await host.plugin('puppet', 'running');
    await host.emit({});
    await eventually(async () => (await host.outcomes()).delivered === 1);
    assert.deepEqual(await findingsOf(host), []);
  });

  for (const { what, code, says, inject } of [...FAULTS, ...SLIPS]) {
    it(`names the cause first of ${what}`, async (t) => {
      const host = await inject(t);
      const first = await eventually(async () => {
        const [finding] = await findingsOf(host);
        assert.equal(finding?.code, code, JSON.stringify(await findingsOf(host)));
        return finding;
      }, 15_000);
      const { problem, evidence, cause, fix, paste, subject } = first;
      assert.match([subject, problem, ...evidence, cause, fix, paste].join('\n'), says);
      assert.notEqual(fix, '');
    });
  }

  for (const { what, inject, mend } of MENDED) {
    it(`has nothing more to say when ${what} is mended`, async (t) => {
      const host = await inject(t);
      await eventually(async () => (await findingsOf(host)).length > 0, 15_000);
      await mend(host);
      await eventually(async () => {
        assert.deepEqual(await findingsOf(host), []);
        return true;
      }, 20_000);
    });
  }
});
