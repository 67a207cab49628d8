import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Profile } from 'pprof-format';
import { cpuPprof, heapPprof } from '../../../host/profile/pprof.ts';
import type { CallFrame } from '../../../host/profile/v8-profile.ts';

const frame = (functionName: string, lineNumber = 0): CallFrame => ({
  functionName,
  lineNumber,
  url: functionName.startsWith('(') ? '' : 'file:///bundles/a/index.ts',
});

/** `root < … < top: values` for each sample. */
function samplesOf(bytes: Uint8Array): string[] {
  const { sample, location, function: functions, stringTable } = Profile.decode(bytes);
  const nameOf = (id: unknown): string => {
    const line = location.find((each) => each.id === id)?.line[0];
    const made = functions.find((each) => each.id === line?.functionId);
    return `${stringTable.strings[Number(made?.name)]}:${line?.line}`;
  };
  return sample.map(({ locationId, value }) => `${locationId.map(nameOf).reverse().join(' < ')}: ${value.join(' ')}`);
}

describe('pprof', () => {
  it('of a CPU profile sums the samples of each stack, in nanoseconds, without the time in which the thread slept', () => {
    const bytes = cpuPprof(
      {
        nodes: [
          { id: 1, callFrame: frame('(root)', -1), children: [2, 3] },
          { id: 2, callFrame: frame('(idle)', -1) },
          { id: 3, callFrame: frame('main', 9), children: [4] },
          { id: 4, callFrame: frame('', 19) },
        ],
        samples: [3, 4, 4, 2, 4],
        timeDeltas: [100, 200, 300, 5_000, 400],
        startTime: 1_000_000,
        endTime: 1_006_000,
      },
      1_700_000_000_000,
    );
    assert.deepEqual(samplesOf(bytes), ['main:10: 1 100000', 'main:10 < (anonymous):20: 3 900000']);
    const { timeNanos, durationNanos, period, sampleType, stringTable, function: functions } = Profile.decode(bytes);
    assert.deepEqual([timeNanos, durationNanos, period], [1_700_000_000_000_000_000n, 6_000_000, 1_200_000]);
    assert.deepEqual(
      sampleType.map(({ type, unit }) => [stringTable.strings[Number(type)], stringTable.strings[Number(unit)]]),
      [
        ['samples', 'count'],
        ['cpu', 'nanoseconds'],
      ],
    );
    assert.deepEqual(
      functions.map(({ filename }) => stringTable.strings[Number(filename)]),
      ['/bundles/a/index.ts', '/bundles/a/index.ts'],
    );
  });

  it('of a heap profile gives what each stack still holds', () => {
    const leaf = { callFrame: frame('remember', 3), selfSize: 4_096, children: [] };
    const middle = { callFrame: frame('start', 1), selfSize: 0, children: [leaf] };
    const head = { callFrame: frame('(root)', -1), selfSize: 0, children: [middle] };
    assert.deepEqual(samplesOf(heapPprof({ head }, 0, 1_000)), ['start:2 < remember:4: 4096']);
  });

  it('ends also when the nodes go in a circle or name what is not there, as no honest profile does', () => {
    const nodes = [
      { id: 1, callFrame: frame('a'), children: [2] },
      { id: 2, callFrame: frame('b'), children: [1] },
    ];
    const bytes = cpuPprof({ nodes, samples: [1, 9], timeDeltas: [1, -1], startTime: 0, endTime: 1 }, 0);
    assert.equal(samplesOf(bytes).length, 2);
  });

  it('of an empty profile is empty', () => {
    assert.deepEqual(samplesOf(cpuPprof({ nodes: [], samples: [], timeDeltas: [], startTime: 0, endTime: 0 }, 0)), []);
  });
});
