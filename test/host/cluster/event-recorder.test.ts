import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Emitter } from '../../../host/base/emitter.ts';
import { EventRecorder } from '../../../host/cluster/event-recorder.ts';
import { duplicateEventIgnored, eventFiring } from '../../../host/cluster/event-words.ts';
import type { ClusterEvents } from '../../../host/cluster/events.ts';
import { type Refusal, Refusals } from '../../../host/cluster/refusal.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { type Answer, ScriptedApi } from './scripted-api.ts';

const HOOK = { namespace: 'shop', name: 'h', uid: 'uid-h' };
const SUBJECT = { eventType: 'pod-restart', resourceName: 'api', agent: { name: 'k8s-agent' } };

interface Created {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly count: number;
  readonly reason: string;
  readonly message: string;
}

function open(t: TestContext, answer: () => Answer = () => ({ body: {} })) {
  const clock = new FakeClock(Date.parse('2026-01-02T03:04:05.678Z'));
  const api = new ScriptedApi(answer);
  const events = new Emitter<ClusterEvents>();
  const said: [string, unknown][] = [];
  for (const name of ['record:written', 'record:error', 'record:dropped'] as const) {
    events.on(name, (payload) => said.push([name, payload]));
  }
  const refused: Refusal[] = [];
  const refusals = new Refusals({
    clock,
    graceMs: 0,
    isPerNamespace: false,
    onRefused: (each) => refused.push(each),
    onLifted: () => {},
  });
  const state = { mayWrite: true };
  const recorder = new EventRecorder({
    ...{ client: api, clock, random: () => 0, refusals, events, instance: 'khook-7f' },
    mayWrite: () => state.mayWrite,
  });
  t.after(async () => {
    await recorder.close();
    assert.equal(clock.pending, 0);
  });
  return { clock, api, said, refused, recorder, state };
}

describe('event recorder', () => {
  it('writes an Event about the Hook, as kubectl describe looks for it', async (t) => {
    const { clock, api, recorder } = open(t);
    recorder.note(HOOK, eventFiring(SUBJECT));
    await clock.advance(1);
    const [body] = api.bodies<Created>();
    assert.deepEqual(api.lines, ['create /api/v1/namespaces/shop/events']);
    assert.match(body?.metadata.name ?? '', /^h\.[0-9a-f]{16}$/);
    assert.deepEqual(body, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: body?.metadata.name, namespace: 'shop' },
      involvedObject: { apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', ...HOOK },
      ...eventFiring(SUBJECT),
      source: { component: 'khook' },
      reportingComponent: 'khook',
      reportingInstance: 'khook-7f',
      firstTimestamp: '2026-01-02T03:04:05Z',
      lastTimestamp: '2026-01-02T03:04:05Z',
      count: 1,
    });
  });

  it('raises the count of what is said again, and not more often than every ten seconds', async (t) => {
    const { clock, api, recorder } = open(t);
    for (let n = 0; n < 30; n += 1) {
      recorder.note(HOOK, duplicateEventIgnored(SUBJECT));
      await clock.advance(1_000);
    }
    await clock.advance(10_000);
    assert.equal(api.requests.length, 4);
    const name = api.bodies<Created>()[0]?.metadata.name;
    assert.equal(api.lines[1], `patch /api/v1/namespaces/shop/events/${name}`);
    assert.equal(api.bodies<Created>().at(-1)?.count, 30);
  });

  it('makes few Events of many firings, within a budget of requests', async (t) => {
    const { clock, api, recorder, said } = open(t);
    for (let n = 0; n < 5_000; n += 1) {
      const hook = { ...HOOK, name: `h${n % 200}`, uid: `uid-${n % 200}` };
      recorder.note(hook, eventFiring({ ...SUBJECT, resourceName: `pod-${n}` }));
    }
    await clock.advance(10_000);
    assert.ok(api.requests.length <= 151, `${api.requests.length} requests in 10 s`);
    await clock.advance(200_000);
    assert.ok(api.requests.length <= 1_201, `${api.requests.length} requests`);
    const counted = api.bodies<Created>().reduce((sum, { count }) => sum + count, 0);
    assert.equal(counted, 5_000, 'each firing is counted in one of them');
    assert.ok(said.every(([name]) => name === 'record:written'));
  });

  it('makes an Event again that the API server has forgotten', async (t) => {
    const answers: Answer[] = [{ body: {} }, { status: 404 }, { body: {} }];
    const { clock, api, recorder } = open(t, () => answers.shift() ?? { body: {} });
    recorder.note(HOOK, eventFiring(SUBJECT));
    await clock.advance(1);
    recorder.note(HOOK, eventFiring(SUBJECT));
    await clock.advance(10_000);
    assert.deepEqual(
      api.lines.map((line) => line.split(' ')[0]),
      ['create', 'patch', 'create'],
    );
    assert.equal(api.bodies<Created>().at(-1)?.count, 2);
  });

  it('tries again while the API server is away, and loses nothing', async (t) => {
    let isAway = true;
    const { clock, api, recorder, said } = open(t, () => (isAway ? { status: null } : { body: {} }));
    recorder.note(HOOK, eventFiring(SUBJECT));
    await clock.advance(10_000);
    assert.ok(api.requests.length <= 5, `${api.requests.length} attempts`);
    recorder.note(HOOK, eventFiring(SUBJECT));
    isAway = false;
    await clock.advance(60_000);
    assert.deepEqual(said.at(-1), ['record:written', { reason: 'EventFiring' }]);
    assert.equal(api.bodies<Created>().at(-1)?.count, 2);
  });

  it('says which rule is missing, and asks again ever more seldom', async (t) => {
    const { clock, api, recorder, refused, said } = open(t, () => ({ status: 403 }));
    for (let n = 0; n < 10; n += 1) recorder.note(HOOK, eventFiring({ ...SUBJECT, resourceName: `pod-${n}` }));
    await clock.advance(60_000);
    assert.equal(api.requests.length, 3);
    assert.equal(refused.length, 1);
    assert.match(refused[0]?.rule ?? '', /resources: \["events"\]\n {2}verbs: \["create"\]/);
    assert.ok(said.every(([name]) => name === 'record:dropped'));
  });

  it('leaves out what is too much, and counts it', async (t) => {
    const { clock, recorder, said } = open(t, () => ({ status: null }));
    for (let n = 0; n < 3_000; n += 1) recorder.note({ ...HOOK, uid: `u${n}` }, eventFiring(SUBJECT));
    await clock.advance(1);
    const dropped = said.filter(([name]) => name === 'record:dropped').length;
    assert.equal(dropped, 1_000);
  });

  it('writes nothing while another khook leads', async (t) => {
    const { clock, api, recorder, state } = open(t);
    state.mayWrite = false;
    recorder.note(HOOK, eventFiring(SUBJECT));
    state.mayWrite = true;
    recorder.note(HOOK, eventFiring(SUBJECT));
    state.mayWrite = false;
    await clock.advance(60_000);
    assert.equal(api.requests.length, 0);
  });
});
