import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { pascalCase, suggestMapping } from '../../../host/match/mapping-suggestion.ts';

test('mapping suggestion: is the YAML of one mapping', () => {
  assert.equal(
    suggestMapping('webhook', 'deployment-failed'),
    'mappings:\n  - eventSource: webhook\n    eventType: deployment-failed\n    internalType: DeploymentFailed\n    severity: info',
  );
});

test('mapping suggestion: YAML reads back any type', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.constantFrom('no', 'true', 'null', 'y', '~', '1e3', '- x', 'a: b')),
      (type) => {
        const { mappings } = parse(suggestMapping('s', type)) as { mappings: Record<string, string>[] };
        assert.equal(mappings[0]?.eventType, type);
        assert.ok((mappings[0]?.internalType ?? '') !== '');
      },
    ),
  );
});

test('mapping suggestion: the internal type is in PascalCase', () => {
  assert.equal(pascalCase('pod-restart'), 'PodRestart');
  assert.equal(pascalCase('highCPU_usage.now'), 'HighCPUUsageNow');
  assert.equal(pascalCase('404-seen'), 'Event404Seen');
});
