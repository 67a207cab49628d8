/** `khook dead-letters` as an operator types it, against a host with an agent that refuses. */

import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { EXIT_CODES } from '../../../host/commands/exit-code.ts';
import { AppHost } from '../../support/app-host.ts';
import { eventually } from '../../support/eventually.ts';
import { khook, type Ran } from '../../support/khook-command.ts';
import { MisbehavingAgent } from '../../support/misbehaving-agent.ts';
import { freePort } from '../../support/running-host.ts';

const MAPPINGS = 'mappings: [{ eventSource: puppet, eventType: happened, internalType: Happened }]';
const ESC = '\u001b';
const ID = /[0-9a-f]{8}-[0-9a-f-]{27}/;

interface Given {
  readonly host: AppHost;
  readonly agent: MisbehavingAgent;
  /** Of `khook dead-letters`, against this host. */
  letters(...args: string[]): Promise<Ran>;
  /** Dead letters, newest first. */
  ids(): Promise<string[]>;
  die(event: Record<string, unknown>): Promise<void>;
}

async function given(t: TestContext, data = '{directory}/data'): Promise<Given> {
  const body = `no such agent, password=hunter2 ${ESC}[31m`;
  const agent = await MisbehavingAgent.start({ onSend: () => ({ kind: 'says', status: 404, body }) });
  t.after(() => agent.stop());
  const configuration = { eventType: 'Happened', agentRef: { name: 'agent' }, prompt: 'Look at {{.ResourceName}}' };
  const spec = { eventConfigurations: [configuration] };
  const hook = { apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata: { name: 'h' }, spec };
  const host = await AppHost.start(t, {
    mappings: MAPPINGS,
    hooks: { 'h.yaml': JSON.stringify(hook) },
    flags: ['--agent-url', agent.url, '--data', data],
  });
  const url = `http://127.0.0.1:${host.app.ports.admin}`;
  const letters = (...args: string[]): Promise<Ran> => khook(['dead-letters', ...args, '--url', url]);
  const ids = async (): Promise<string[]> => {
    const { deadLetters } = await host.json<{ deadLetters: { id: string }[] }>('/api/v1/dead-letters');
    return deadLetters.map(({ id }) => id);
  };
  const die = async (event: Record<string, unknown>): Promise<void> => {
    const before = (await ids()).length;
    await host.emit(event);
    await eventually(async () => (await ids()).length === before + 1);
  };
  return { host, agent, letters, ids, die };
}

for (const data of ['{directory}/data', 'none']) {
  describe(`khook dead-letters, with --data ${data === 'none' ? 'none' : 'DIR'}`, () => {
    it('lists, shows, sends again and drops', async (t) => {
      const { agent, die, host, ids, letters } = await given(t, data);
      const none = await letters('list');
      assert.deepEqual([none.code, none.stdout], [EXIT_CODES.OK, 'There are no dead letters.\n']);
      for (const resourceName of ['api', 'web', 'db']) await die({ resourceName, namespace: 'default' });
      const [db = '', web = '', api = ''] = await ids();

      const list = await letters('list');
      assert.deepEqual([list.code, list.stderr], [EXIT_CODES.OK, '']);
      const [header = '', ...rows] = list.stdout.trimEnd().split('\n');
      assert.match(header, /^ID +DIED +AGENT +HOOK +RESOURCE +ATTEMPTS +CODE$/);
      assert.deepEqual(
        rows.map((row) => ID.exec(row)?.[0]),
        [db, web, api],
      );
      for (const row of rows) {
        assert.match(row, / default\/agent +default\/h +default\/\w+ +1 +HOST_ERR_AGENT_REFUSED$/);
        assert.equal(row.indexOf('default/agent'), header.indexOf('AGENT'), 'columns are aligned');
      }

      const shown = await letters('show', api);
      assert.equal(shown.code, EXIT_CODES.OK);
      assert.match(shown.stdout, new RegExp(`^id: +${api}$`, 'm'));
      assert.match(shown.stdout, /^reason: +The agent at .* HTTP 404: no such agent, password=\[redacted\]/m);
      assert.match(shown.stdout, /^attempts: +1, from \S+Z to \S+Z$/m);
      assert.match(shown.stdout, /^prompt:\n {2}Look at api$/m);

      agent.reform({});
      const retried = await letters('retry', api);
      assert.deepEqual(
        [retried.code, retried.stdout],
        [EXIT_CODES.OK, `sent again: ${api} of default/h for default/agent\n`],
      );
      await eventually(async () => (await host.outcomes()).delivered === 1);
      assert.equal(agent.sends.filter(({ messageId }) => messageId === api).length, 2);

      const dropped = await letters('drop', web, '--json');
      assert.deepEqual(JSON.parse(dropped.stdout), { done: [web], refused: [] });
      assert.deepEqual(await ids(), [db]);
      const { residual, restored, inFlight } = await host.json<Record<string, number>>('/api/v1/ledger');
      assert.deepEqual([residual, restored, inFlight], [0, 1, 0]);
    });
  });
}

describe('khook dead-letters', () => {
  it('sends again all of them, or those of one agent or Hook, and says how many', async (t) => {
    const { die, ids, letters } = await given(t);
    for (const resourceName of ['a', 'b', 'c']) await die({ resourceName, namespace: 'default' });
    const nobody = await letters('retry', '--all', '--agent', 'default/nobody');
    assert.deepEqual([nobody.code, nobody.stdout], [EXIT_CODES.OK, 'There are no such dead letters.\n']);
    const dropped = await letters('drop', '--all', '--hook', 'default/h', '--agent', 'default/agent');
    assert.equal(dropped.code, EXIT_CODES.OK);
    assert.match(dropped.stdout, /(?:^dropped: .*\n){3}3 dropped, 0 refused\.\n$/m);
    assert.deepEqual(await ids(), []);
  });

  it('leaves those that have fired again, goes on with the others, and exits with 1', async (t) => {
    const { agent, die, host, ids, letters } = await given(t);
    for (const resourceName of ['a', 'a', 'b']) await die({ resourceName, namespace: 'default' });
    const [b = '', newer = '', older = ''] = await ids();
    agent.reform({});
    const { code, stdout, stderr } = await letters('retry', '--all');
    assert.equal(code, EXIT_CODES.FAILED);
    assert.match(stdout, new RegExp(`sent again: ${b} .*\\nsent again: ${newer} .*\\n2 sent again, 1 refused\\.\\n$`));
    assert.match(stderr, /^khook dead-letters retry: Hook default\/h has fired again for a, .* stays a dead letter/);
    await eventually(async () => (await host.outcomes()).delivered === 2);
    assert.deepEqual(await ids(), [older]);
    const again = await letters('retry', older, '--json');
    const { done, refused } = JSON.parse(again.stdout) as { done: string[]; refused: { id: string; error: string }[] };
    assert.deepEqual([again.code, done, refused[0]?.id], [EXIT_CODES.FAILED, [], older]);
  });

  it('says so when there is no such dead letter, and exits with 1', async (t) => {
    const { letters } = await given(t);
    for (const command of ['show', 'retry', 'drop']) {
      const { code, stdout, stderr } = await letters(command, 'no-such/id?x=1');
      assert.deepEqual([code, stdout], [EXIT_CODES.FAILED, ''], command);
      assert.match(stderr, new RegExp(`^khook dead-letters ${command}: There is no dead letter no-such/id\\?x=1: `));
    }
    const wrong = await letters('list', '--agent', 'just-a-name');
    assert.equal(wrong.code, EXIT_CODES.FAILED);
    assert.match(wrong.stderr, /'agent' must be a namespace and a name/);
  });

  it('shows what others wrote, and obeys none of it', async (t) => {
    const { die, ids, letters } = await given(t);
    const resourceName = `api${ESC}]0;owned\u0007\nID  fake ${'x'.repeat(200)}`;
    await die({ resourceName, namespace: 'default', message: `${ESC}[2J` });
    const [id = ''] = await ids();
    for (const { stdout } of [await letters('list'), await letters('show', id), await letters('retry', id)]) {
      assert.ok(!stdout.includes(ESC) && !stdout.includes('\u0007'), JSON.stringify(stdout));
    }
    const { stdout } = await letters('list');
    assert.equal(stdout.split('\n').length, 3);
  });

  it('prints what the API answers with --json', async (t) => {
    const { die, host, ids, letters } = await given(t);
    await die({ resourceName: 'api', namespace: 'default' });
    const [id = ''] = await ids();
    const list = await letters('list', '--json', '--limit', '1');
    assert.deepEqual(JSON.parse(list.stdout), await host.json('/api/v1/dead-letters?limit=1'));
    const show = await letters('show', id, '--json');
    assert.deepEqual(JSON.parse(show.stdout), await host.json(`/api/v1/dead-letters/${id}`));
  });

  it('says where it looked for a host when there is none, as emit does, and exits with 5', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    for (const args of [['list'], ['show', 'x'], ['retry', '--all'], ['drop', 'x']]) {
      const { code, stdout, stderr } = await khook(['dead-letters', ...args, '--url', url]);
      assert.deepEqual([code, stdout], [EXIT_CODES.UNREACHABLE, '']);
      assert.match(stderr, new RegExp(`^khook dead-letters ${args[0]}: no host answers at ${url}: `));
      assert.match(stderr, /Start one with 'khook run', or name its loopback port with --url/);
    }
  });

  it('tells whoever names another port of the host so', async (t) => {
    const { host } = await given(t);
    const health = await khook(['dead-letters', 'list', '--url', `http://127.0.0.1:${host.app.ports.health}`]);
    assert.equal(health.code, EXIT_CODES.FAILED);
    assert.match(health.stderr, /there is no \/api\/v1\/dead-letters on the health port/);
  });
});
