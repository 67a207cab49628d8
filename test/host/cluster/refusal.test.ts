import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError } from '../../../host/cluster/api-error.ts';
import type { ApiTarget, Verb } from '../../../host/cluster/api-target.ts';
import { hookTarget } from '../../../host/cluster/hook-informer.ts';
import { Refusals } from '../../../host/cluster/refusal.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function forbidden(verb: Verb, target: ApiTarget): ApiError {
  return new ApiError({ verb, target, status: 403, reason: 'Forbidden', message: 'forbidden', retryAfterMs: null });
}

function open({ isPerNamespace = false, graceMs = 0 } = {}) {
  const clock = new FakeClock();
  const said: string[] = [];
  const refusals = new Refusals({
    ...{ clock, isPerNamespace, graceMs },
    onRefused: ({ verb, resource, namespace }) => said.push(`no ${verb} ${resource} ${namespace}`),
    onLifted: ({ verb, resource, namespace }) => said.push(`yes ${verb} ${resource} ${namespace}`),
  });
  return { clock, said, refusals };
}

const STATUS = (namespace: string): ApiTarget => ({ ...hookTarget(namespace, 'h'), subresource: 'status' });

describe('refusals', () => {
  it('are told with the rule that would allow it', () => {
    const { refusals } = open();
    refusals.note(forbidden('patch', STATUS('shop')));
    refusals.note(forbidden('watch', hookTarget('')));
    assert.deepEqual(
      refusals.all.map(({ rule }) => rule),
      [
        '- apiGroups: ["kagent.dev"]\n  resources: ["hooks/status"]\n  verbs: ["patch"]',
        '- apiGroups: ["kagent.dev"]\n  resources: ["hooks"]\n  verbs: ["get", "list", "watch"]',
      ],
    );
  });

  it('are told once for all namespaces, or once for each where roles are per namespace', () => {
    const all = open();
    const each = open({ isPerNamespace: true });
    for (const namespace of ['a', 'b', 'a']) {
      all.refusals.note(forbidden('patch', STATUS(namespace)));
      each.refusals.note(forbidden('patch', STATUS(namespace)));
    }
    assert.deepEqual(all.said, ['no patch hooks/status a']);
    assert.deepEqual(each.said, ['no patch hooks/status a', 'no patch hooks/status b']);
  });

  it('end where they began, and are told again after that', () => {
    const { said, refusals } = open();
    refusals.note(forbidden('patch', STATUS('a')));
    refusals.lift('patch', STATUS('b'));
    refusals.lift('create', STATUS('a'));
    assert.equal(refusals.all.length, 1);
    refusals.lift('patch', STATUS('a'));
    refusals.note(forbidden('patch', STATUS('a')));
    assert.deepEqual(said, ['no patch hooks/status a', 'yes patch hooks/status a', 'no patch hooks/status a']);
  });

  it('are not told of an API server that has just started and does not know its roles yet', async () => {
    const { clock, said, refusals } = open({ graceMs: 5_000 });
    refusals.note(forbidden('patch', STATUS('a')));
    await clock.advance(1_000);
    refusals.lift('patch', STATUS('a'));
    refusals.note(forbidden('patch', STATUS('a')));
    await clock.advance(4_999);
    refusals.note(forbidden('patch', STATUS('a')));
    assert.deepEqual([said, refusals.all], [[], []]);
    await clock.advance(1);
    refusals.note(forbidden('patch', STATUS('a')));
    assert.deepEqual(said, ['no patch hooks/status a']);
  });
});
