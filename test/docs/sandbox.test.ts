/** docs/sandbox.md is the corpus in words: every row names bodies that exist, says what they are expected to come to, and leaves none out. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BODIES } from '../corpus/bodies.ts';
import type { Body, Outcome, Tier } from '../corpus/body.ts';
import { readDoc, section, tableRows } from '../support/docs.ts';

const page = readDoc('sandbox.md');
const words = section(page, '## The two tiers');
const rows = tableRows(page.replace(words, '')).map(([does = '', thread = '', process = '', bodies = '']) => {
  return {
    does,
    cells: { thread, process } as Readonly<Record<Tier, string>>,
    bodies: bodies.split(/\s+/).filter(Boolean),
  };
});

/** What each word of the page promises. */
const PROMISES: Readonly<Record<string, (outcome: Outcome) => boolean>> = {
  denied: (outcome) => outcome === 'denied',
  ended: (outcome) => outcome.startsWith('recycled:'),
  'not started': (outcome) => outcome === 'refused',
  bounded: (outcome) => outcome === 'stays',
  runs: (outcome) => outcome === 'stays',
  stopped: (outcome) => outcome === 'stopped',
  '**takes the host**': (outcome) => outcome === 'host died',
  '**not held**': (outcome) => outcome === 'open',
};

describe('docs/sandbox.md', () => {
  it('explains every word it uses, and uses every word it explains', () => {
    const used = new Set(rows.flatMap(({ cells }) => Object.values(cells).flatMap((cell) => cell.split(', or '))));
    const explained = tableRows(words).map(([word = '']) => word);
    assert.deepEqual([...used].sort(), Object.keys(PROMISES).sort());
    assert.deepEqual(explained.sort(), Object.keys(PROMISES).sort());
  });

  it('names every body of the corpus once, and none that does not exist', () => {
    const named = rows.flatMap(({ bodies }) => bodies);
    assert.deepEqual(named.toSorted(), BODIES.map(({ name }) => name).toSorted());
  });

  for (const { does, cells, bodies } of rows) {
    it(`promises of a plugin that ${does} what its bodies are expected to come to`, () => {
      for (const body of BODIES.filter(({ name }) => bodies.includes(name))) {
        for (const tier of ['thread', 'process'] as const) assertPromise(body, tier, cells[tier]);
      }
    });
  }

  it('says of every body that may take the host, or is not held, that it does', () => {
    for (const body of BODIES) {
      const row = rows.find(({ bodies }) => bodies.includes(body.name));
      for (const tier of ['thread', 'process'] as const) {
        const mayTake = body.expect[tier].includes('host died');
        assert.equal(row?.cells[tier].includes('**takes the host**'), mayTake, `${body.name} in the ${tier} tier`);
        const isOpen = body.expect[tier].includes('open');
        assert.equal(row?.cells[tier].includes('**not held**'), isOpen, `${body.name} in the ${tier} tier`);
      }
    }
  });
});

function assertPromise(body: Body, tier: Tier, cell: string): void {
  for (const word of cell.split(', or ')) {
    const promise = PROMISES[word];
    assert.ok(promise !== undefined, `the page does not explain '${word}'`);
    assert.ok(
      body.expect[tier].some(promise),
      `${body.name} is promised to be '${word}' in the ${tier} tier, and expected: ${body.expect[tier].join(', ')}`,
    );
  }
}
