import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { ApiClient, type ApiRequest } from '../../../host/cluster/api-client.ts';
import { ApiError } from '../../../host/cluster/api-error.ts';
import { pathOf } from '../../../host/cluster/api-target.ts';
import { hookTarget } from '../../../host/cluster/hook-informer.ts';
import { systemClock } from '../../../ipc/clock.ts';
import type { KubernetesConnection } from '../../../ipc/control.ts';
import { ApiServer } from '../../support/api-server.ts';
import { makeCertificates } from '../../support/certificates.ts';

type Respond = (request: IncomingMessage, response: ServerResponse) => void;

const LIST: ApiRequest = { verb: 'list', target: hookTarget('shop') };

async function speaking(t: TestContext, respond: Respond, answerMs = 10_000) {
  const server = createServer(respond);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connection: KubernetesConnection = {
    ...{ server: `http://127.0.0.1:${port}`, ca: null, token: 'token-1', clientCertificate: null },
    ...{ skipTlsVerify: false, namespace: 'kagent' },
  };
  const statuses: (number | null)[] = [];
  let renewals = 0;
  const renew = async (): Promise<KubernetesConnection> => {
    renewals += 1;
    return { ...connection, token: 'token-2' };
  };
  const client = new ApiClient({
    source: { connection, problem: null, renew },
    clock: systemClock,
    answerMs,
    onAnswer: (_, status) => statuses.push(status),
  });
  t.after(() => {
    client[Symbol.dispose]();
    server.closeAllConnections();
    server.close();
  });
  return { client, server, statuses, renewals: () => renewals };
}

async function refusal(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ApiError, `refused, not ${String(error)}`);
  return error;
}

function status(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

describe('API client', () => {
  it('makes paths of what they name', () => {
    assert.equal(pathOf(hookTarget('')), '/apis/kagent.dev/v1alpha2/hooks');
    const target = { ...hookTarget('shop', 'h'), subresource: 'status' };
    assert.equal(pathOf(target), '/apis/kagent.dev/v1alpha2/namespaces/shop/hooks/h/status');
    const event = { group: '', version: 'v1', resource: 'events', namespace: 'a/../b' };
    assert.equal(pathOf(event), '/api/v1/namespaces/a%2F..%2Fb/events');
  });

  it('sends a merge patch with the token of that moment', async (t) => {
    let seen: unknown;
    const { client } = await speaking(t, (request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        const { authorization, 'content-type': type } = request.headers;
        seen = [request.method, request.url, authorization, type, JSON.parse(text)];
        status(response, 200, { ok: true });
      });
    });
    const body = { status: { a: 1 } };
    const answer = await client.json({ verb: 'patch', target: hookTarget('shop', 'h'), body });
    assert.deepEqual(answer, { ok: true });
    const path = '/apis/kagent.dev/v1alpha2/namespaces/shop/hooks/h';
    assert.deepEqual(seen, ['PATCH', path, 'Bearer token-1', 'application/merge-patch+json', body]);
  });

  it('reads the credentials anew when they are refused, and asks once more', async (t) => {
    const tokens: unknown[] = [];
    const { client, renewals, statuses } = await speaking(t, ({ headers }, response) => {
      tokens.push(headers.authorization);
      status(response, headers.authorization === 'Bearer token-2' ? 200 : 401, { items: [] });
    });
    await client.json(LIST);
    assert.deepEqual([tokens, renewals(), statuses], [['Bearer token-1', 'Bearer token-2'], 1, [401, 200]]);
  });

  it('says that they are refused when new ones are as well', async (t) => {
    const { client, renewals } = await speaking(t, (_, response) => status(response, 401, { message: 'Unauthorized' }));
    const error = await refusal(client.json(LIST));
    assert.deepEqual([error.status, error.code, renewals()], [401, 'HOST_ERR_CLUSTER_REFUSED', 1]);
  });

  it('tells what the server said, in its words and by kind', async (t) => {
    const answers: [number, Record<string, unknown>][] = [
      [403, { reason: 'Forbidden', message: 'hooks.kagent.dev is forbidden' }],
      [403, { reason: 'Forbidden', message: 'unable to create: namespace x because it is being terminated' }],
      [409, { reason: 'Conflict', message: 'modified' }],
      [409, { reason: 'AlreadyExists', message: 'there' }],
      [410, { reason: 'Expired', message: 'too old' }],
      [422, { reason: 'Invalid', message: 'no' }],
      [429, { message: 'slow down', details: { retryAfterSeconds: 7 } }],
    ];
    const { client } = await speaking(t, (_, response) => status(response, ...(answers.shift() ?? [500, {}])));
    const errors: ApiError[] = [];
    for (const _ of [...answers]) errors.push(await refusal(client.json(LIST)));
    const kinds = errors.map((each) =>
      (['isForbidden', 'isConflict', 'isAlreadyThere', 'isGone', 'isInvalid'] as const).filter((kind) => each[kind]),
    );
    assert.deepEqual(kinds.map(String), ['isForbidden', '', 'isConflict', 'isAlreadyThere', 'isGone', 'isInvalid', '']);
    assert.equal(errors[0]?.message, 'list hooks: hooks.kagent.dev is forbidden');
    assert.equal(errors.at(-1)?.retryAfterMs, 7_000);
  });

  it('waits for no answer longer than it may, neither for its head nor for its body', async (t) => {
    let half = false;
    const respond: Respond = (_, response) => {
      if (half) response.writeHead(200).write('{"items":');
    };
    const { client, statuses } = await speaking(t, respond, 200);
    for (const phase of ['head', 'body']) {
      half = phase === 'body';
      const error = await refusal(client.json(LIST));
      assert.deepEqual([error.status, error.code], [null, 'HOST_ERR_CLUSTER_UNREACHABLE']);
      assert.match(error.message, half ? /no data came for 0.2 s/ : /does not answer: no answer within 0.2 s/);
    }
    assert.deepEqual(statuses, [null, 200]);
  });

  it('sends again what met a connection that the server had closed meanwhile', async (t) => {
    let requests = 0;
    const { client } = await speaking(t, (request, response) => {
      requests += 1;
      if (requests === 2) request.socket.resetAndDestroy();
      else status(response, 200, { items: [] });
    });
    for (let n = 0; n < 3; n += 1) await client.json(LIST);
    assert.equal(requests, 4);
  });

  it('refuses an answer that is no JSON, and one that is too large', async (t) => {
    let isLarge = false;
    const { client } = await speaking(t, (_, response) => {
      response.end(isLarge ? Buffer.alloc(33 * 1024 * 1024, ' ') : '<html>');
    });
    assert.match((await refusal(client.json(LIST))).message, /the answer cannot be read/);
    isLarge = true;
    assert.match((await refusal(client.json(LIST))).message, /larger than/);
  });

  it('says why there is no connection', async () => {
    const source = { connection: null, problem: 'not in a pod', renew: async () => null };
    const client = new ApiClient({ source, clock: systemClock });
    const error = await refusal(client.json(LIST));
    assert.match(error.message, /there is no connection: not in a pod/);
  });

  it('knows the server by the authority of the connection, and itself by a certificate', async (t) => {
    const certificates = makeCertificates(t);
    const server = new ApiServer(certificates);
    const connection = await server.open();
    const speak = async (with_: Partial<KubernetesConnection>): Promise<unknown> => {
      const source = { connection: { ...connection, ...with_ }, problem: null, renew: async () => null };
      using client = new ApiClient({ source, clock: systemClock });
      return await client.json(LIST);
    };
    t.after(() => server.close());
    await speak({ clientCertificate: certificates.client });
    assert.equal(server.requests.at(-1)?.clientName, 'client');
    await assert.rejects(speak({ ca: null }), /certificate/);
    await speak({ ca: null, skipTlsVerify: true });
  });
});
