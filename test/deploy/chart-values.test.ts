/** Every value of the chart has an effect, and the schema knows it. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { chartValues } from '../../scripts/chart/values-table.ts';
import { CHART, helm, missingHelm, renderText } from '../support/helm.ts';
import { FLIPS, nested } from './chart-flips.ts';

/** What rendering without a cluster cannot show: test/cluster/chart.test.ts does. */
const SHOWN_ELSEWHERE = ['crds.check'];

const documented = chartValues(readFileSync(join(CHART, 'values.yaml'), 'utf8'));

describe('values of the chart', { skip: missingHelm(), concurrency: 2 }, () => {
  const bases = new Map<string, Promise<string>>();

  function base(given: Readonly<Record<string, unknown>>): Promise<string> {
    const key = JSON.stringify(given);
    const known = bases.get(key) ?? renderText(nested(given));
    bases.set(key, known);
    return known;
  }

  before(() => base({}));

  it('are each tried out below', () => {
    const paths = documented.map(({ path }) => path);
    assert.deepEqual([...Object.keys(FLIPS), ...SHOWN_ELSEWHERE].sort(), [...paths].sort());
  });

  for (const [path, { to, given = {} }] of Object.entries(FLIPS)) {
    it(`have an effect: ${path}`, async () => {
      const [usual, flipped] = await Promise.all([base(given), renderText(nested({ ...given, [path]: to }))]);
      assert.notEqual(flipped, usual);
    });
  }

  it('are refused when they are misspelt or of a wrong type, with their name', async () => {
    await assert.rejects(renderText({ log: { levl: 'debug' } }), /\/log.*levl/s);
    await assert.rejects(renderText({ persistance: {} }), /persistance/);
    await assert.rejects(renderText({ replicaCount: 'two' }), /\/replicaCount/);
    await assert.rejects(renderText({ log: { level: 'verbose' } }), /\/log\/level/);
    await assert.rejects(renderText({ kagent: { timeout: '120' } }), /\/kagent\/timeout/);
  });

  it('are refused when they are wrong together, with what to do', async () => {
    await assert.rejects(
      renderText({ replicaCount: 2, leaderElection: { enabled: false } }),
      /Turn leader election on/,
    );
    await assert.rejects(renderText({ replicaCount: 2, persistence: { enabled: true } }), /leave persistence off/);
    await assert.rejects(renderText({ replicaCount: 2, persistence: { existingClaim: 'a' } }), /leave persistence off/);
    await assert.rejects(renderText({ webhook: { auth: 'bearer' } }), /webhook\.existingSecret is empty/);
  });

  it('pass the linter', async () => {
    await helm(['lint', '--strict', '--kube-version', '1.33.0', CHART]);
  });
});
