/** No environment variable and no flag of `khook run` is without an effect: each one is set, and the difference is observed from outside. */

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { findConnection } from '../../host/cluster/connection.ts';
import { RUN_FLAGS } from '../../host/commands/run-options.ts';
import { readEnvironment } from '../../host/config/environment.ts';
import { hooksFolder } from '../../host/config/hook-source.ts';
import { ConfigLoader } from '../../host/config/loader.ts';
import { ApiServer } from '../support/api-server.ts';
import { AppHost, type AppHostFiles } from '../support/app-host.ts';
import { eventually } from '../support/eventually.ts';
import { type Manners, MisbehavingAgent } from '../support/misbehaving-agent.ts';
import { freePort, RunningHost } from '../support/running-host.ts';
import { tempDir } from '../support/temp-dir.ts';
import { variablesRead } from '../support/variables-read.ts';

const PUPPET = 'test/fixtures/plugins/puppet';
const CONFIG = ['--config', '{directory}/config'];
const WEB_PORTS = ['--metrics-port', '0', '--health-port', '0'];

function yaml(settings: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ settings: { shutdownGrace: '50ms', ...settings } });
}

/** A Hook that names no namespace: what it is then, and which agent it means, is up to the environment. */
function hookFiles(): Pick<AppHostFiles, 'mappings' | 'hooks'> {
  const spec = { eventConfigurations: [{ eventType: 'happened', agentRef: { name: 'a' }, prompt: 'look' }] };
  const hook = { apiVersion: 'kagent.dev/v1alpha2', kind: 'Hook', metadata: { name: 'h' }, spec };
  const mappings = 'mappings: [{ eventSource: puppet, eventType: happened, internalType: Happened }]';
  return { mappings, hooks: { 'h.yaml': JSON.stringify(hook) } };
}

/** One event fires towards an agent that is named as the test says. */
async function fire(
  t: TestContext,
  {
    manners = {},
    env = () => ({}),
    flags = () => [],
    settings = {},
  }: {
    manners?: Manners;
    env?: (url: string) => Record<string, string>;
    flags?: (url: string) => string[];
    settings?: Readonly<Record<string, unknown>>;
  },
): Promise<{ host: AppHost; agent: MisbehavingAgent }> {
  const agent = await MisbehavingAgent.start(manners);
  t.after(() => agent.stop());
  const given = { env: env(agent.url), flags: flags(agent.url), plugins: yaml(settings) };
  const host = await AppHost.start(t, { ...hookFiles(), ...given });
  await host.emit({});
  return { host, agent };
}

async function answers(address: string, path: string): Promise<boolean> {
  return fetch(`http://${address}${path}`).then(
    (response) => response.status === 200,
    () => false,
  );
}

/** The port that the variable or the flag names is the one that answers. */
async function opens(t: TestContext, path: string, setting: (port: string) => AppHostFiles): Promise<void> {
  const port = await freePort();
  const others = path === '/metrics' ? ['--health-port', '0'] : ['--metrics-port', '0'];
  const { env = {}, flags = [] } = setting(String(port));
  await AppHost.start(t, { plainFlags: true, env, flags: [...CONFIG, ...others, ...flags], plugins: yaml() });
  assert.ok(await answers(`127.0.0.1:${port}`, path), `nothing answers on port ${port}`);
}

async function kagentPath(t: TestContext, name: string): Promise<void> {
  const { agent } = await fire(t, { env: (url) => ({ [name]: url }) });
  const [send] = await eventually(() => (agent.sends.length > 0 ? agent.sends : null));
  assert.equal(send?.path, '/api/a2a/default/a/');
}

/** Debug lines, and lines for people instead of JSON. */
async function logs(t: TestContext, given: AppHostFiles): Promise<AppHost> {
  const host = await AppHost.start(t, { plugins: yaml(), bundles: { puppet: PUPPET }, ...given });
  await host.plugin('puppet', 'running');
  return host;
}

function kubernetesReason(variables: Record<string, string>): Promise<string> {
  return findConnection(variables).then((search) => (search.kind === 'none' ? search.reason : ''));
}

const VARIABLES: Readonly<Record<string, (t: TestContext) => Promise<void>>> = {
  async LOG_LEVEL(t) {
    const quiet = await logs(t, {});
    const talkative = await logs(t, { env: { LOG_LEVEL: 'debug' } });
    assert.deepEqual(quiet.grep(/"level":"debug"/), []);
    assert.ok(talkative.grep(/plugin puppet: starting → running/).length > 0);
    // What plugins themselves say at debug level belongs to it.
    await eventually(() => talkative.grep(/\[DEBUG\] puppet is starting/).length > 0);
  },
  async LOG_FORMAT(t) {
    const [lines, people] = [await logs(t, {}), await logs(t, { env: { LOG_FORMAT: 'pretty' } })];
    assert.ok(lines.lines.every((line) => line.startsWith('{')));
    assert.ok(people.lines.every((line) => !line.startsWith('{')));
  },
  KAGENT_API_URL: (t) => kagentPath(t, 'KAGENT_API_URL'),
  KAGENT_API_BASE_URL: (t) => kagentPath(t, 'KAGENT_API_BASE_URL'),
  async KAGENT_USER_ID(t) {
    const { agent } = await fire(t, { env: (url) => ({ KAGENT_API_URL: url, KAGENT_USER_ID: 'night-shift' }) });
    const [send] = await eventually(() => (agent.sends.length > 0 ? agent.sends : null));
    assert.equal(send?.headers['x-user-id'], 'night-shift');
  },
  async KAGENT_API_TIMEOUT(t) {
    const manners: Manners = { onSend: () => ({ kind: 'hangs' }) };
    const env = (url: string): Record<string, string> => ({ KAGENT_API_URL: url });
    const patient = await fire(t, { manners, env });
    const hasty = await fire(t, { manners, env: (url) => ({ ...env(url), KAGENT_API_TIMEOUT: '100ms' }) });
    await eventually(() => hasty.host.grep(/HOST_ERR_AGENT_TIMEOUT/).length > 0);
    assert.deepEqual(patient.host.grep(/HOST_ERR_AGENT_TIMEOUT/), []);
  },
  METRICS_PORT: (t) => opens(t, '/metrics', (port) => ({ env: { METRICS_PORT: port } })),
  HEALTH_PORT: (t) => opens(t, '/healthz', (port) => ({ env: { HEALTH_PORT: port } })),
  async LEADER_ELECTION(t) {
    await AppHost.start(t, { env: { LEADER_ELECTION: 'false' } });
    const wanted = AppHost.start(t, { env: { LEADER_ELECTION: 'true' } });
    await assert.rejects(wanted, /there is no cluster to hold an election in: .*set LEADER_ELECTION to false/);
  },
  async KHOOK_ISOLATION(t) {
    const isolation = async (env: Record<string, string>): Promise<unknown> => {
      const host = await AppHost.start(t, { plugins: yaml(), bundles: { puppet: PUPPET }, env });
      return (await host.plugin('puppet', 'running')).isolation;
    };
    assert.deepEqual([await isolation({}), await isolation({ KHOOK_ISOLATION: 'process' })], ['thread', 'process']);
  },
  async POD_NAMESPACE(t) {
    const host = await AppHost.start(t, { ...hookFiles(), plugins: yaml(), env: { POD_NAMESPACE: 'shop' } });
    const { hooks } = await host.json<{ hooks: { namespace: string }[] }>('/api/v1/hooks');
    assert.equal(hooks[0]?.namespace, 'shop');
  },
  async WATCH_NAMESPACE(t) {
    const { server, env, flags } = await apiServer(t);
    await AppHost.start(t, { env, flags, plugins: yaml() });
    await AppHost.start(t, { env: { ...env, WATCH_NAMESPACE: 'shop' }, flags, plugins: yaml() });
    const paths = await eventually(() => {
      const listed = [...new Set(server.requestsOf('list').map(({ path }) => path))];
      return listed.length === 2 ? listed : null;
    });
    assert.deepEqual(paths.sort(), [
      '/apis/kagent.dev/v1alpha2/hooks',
      '/apis/kagent.dev/v1alpha2/namespaces/shop/hooks',
    ]);
  },
  async POD_NAME(t) {
    const { server, env, flags } = await apiServer(t);
    const { mappings = '', hooks = {} } = hookFiles();
    const metadata = { namespace: 'default', name: 'h', uid: 'u', generation: 1 };
    server.put({ ...JSON.parse(hooks['h.yaml'] ?? ''), metadata }, 'hooks');
    const host = await AppHost.start(t, { env: { ...env, POD_NAME: 'khook-7f' }, flags, mappings, plugins: yaml() });
    const event = await eventually(async () => {
      await host.emit({ resourceName: `r-${Math.random()}` });
      return server.requests.find(({ path, kind }) => kind === 'write' && path.endsWith('/events'))?.body;
    });
    assert.equal(event.reportingInstance, 'khook-7f');
  },
  async KUBERNETES_SERVICE_HOST(t) {
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1' };
    const host = await AppHost.start(t, {
      env,
      bundles: { kubernetes: 'plugins/kubernetes' },
      plugins: grantKubernetes(),
      flags: ['--hooks', '{directory}/config/hooks'],
    });
    const inPod = await AppHost.start(t, { env });
    assert.match(await readiness(inPod), /\[-\]hooks failed: .*in a pod, but its service account cannot be read/);
    assert.match(await readiness(host), /ok/);
    assert.ok(host.grep(/Agents: kagent at http:\/\/kagent-controller/).length > 0);
    assert.match(String((await host.plugin('kubernetes', 'blocked(connection)')).reason), /service account/);
  },
  async KUBECONFIG() {
    assert.match(await kubernetesReason({ KUBECONFIG: '/nowhere/config' }), /\/nowhere\/config does not exist/);
  },
  async HOME(t) {
    const home = tempDir(t);
    assert.match(await kubernetesReason({ HOME: home }), new RegExp(`${home}/.kube/config does not exist`));
    mkdirSync(join(home, '.kube'));
    writeFileSync(join(home, '.kube/config'), '{}');
    assert.doesNotMatch(await kubernetesReason({ HOME: home }), /does not exist/);
  },
};

/** Read only beside another one, in a pod that the tests do not run in. */
const BESIDE_ANOTHER = ['KUBERNETES_SERVICE_PORT'];

/** A cluster that a kubeconfig leads to, for a host that takes its Hooks from there. */
async function apiServer(t: TestContext) {
  const server = new ApiServer();
  const connection = await server.open();
  t.after(() => server.close());
  const KUBECONFIG = join(tempDir(t), 'config');
  const cluster = { server: connection.server, 'insecure-skip-tls-verify': true };
  const config = {
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user: { token: 'x' } }],
  };
  writeFileSync(KUBECONFIG, JSON.stringify(config));
  return { server, env: { KUBECONFIG }, flags: ['--hooks', 'cluster'] };
}

async function readiness({ app }: AppHost): Promise<string> {
  return (await fetch(`http://127.0.0.1:${app.ports.health}/readyz`)).text();
}

function grantKubernetes(): string {
  return JSON.stringify({ plugins: [{ name: 'kubernetes', permissions: { kubernetes: true } }] });
}

const FLAGS: Readonly<Record<string, (t: TestContext) => Promise<void>>> = {
  async config(t) {
    const elsewhere = tempDir(t);
    writeFileSync(join(elsewhere, 'plugins.yaml'), 'plugins: [{ name: nobody }]');
    const host = await AppHost.start(t, { plainFlags: true, flags: [...WEB_PORTS, '--config', elsewhere] });
    await host.plugin('nobody', 'failed');
  },
  async hooks(t) {
    const elsewhere = tempDir(t);
    writeFileSync(join(elsewhere, 'h.yaml'), hookFiles().hooks?.['h.yaml'] ?? '');
    const host = await AppHost.start(t, { flags: ['--hooks', elsewhere] });
    assert.equal((await host.json<{ hooks: unknown[] }>('/api/v1/hooks')).hooks.length, 1);
    const { server, env, flags } = await apiServer(t);
    await AppHost.start(t, { env });
    assert.equal(server.requests.length, 0, 'a kubeconfig alone is no reason to use the cluster');
    await AppHost.start(t, { env, flags });
    await eventually(() => server.openWatches === 1);
  },
  async plugins(t) {
    const elsewhere = tempDir(t);
    cpSync(PUPPET, join(elsewhere, 'puppet'), { recursive: true });
    const host = await AppHost.start(t, { flags: ['--plugins', elsewhere] });
    await host.plugin('puppet', 'running');
  },
  async data(t) {
    const elsewhere = join(tempDir(t), 'kept');
    const host = await AppHost.start(t, { flags: ['--data', elsewhere] });
    assert.ok(existsSync(join(elsewhere, 'outbox.db')));
    // The default is a folder of the working directory.
    const khook = await RunningHost.start(t, {});
    assert.ok(existsSync(join(khook.directory, '.khook/outbox.db')));
    assert.ok(!existsSync(join(host.directory, 'data')));
  },
  async 'agent-url'(t) {
    const { agent } = await fire(t, { flags: (url) => ['--agent-url', `${url}/mine`] });
    const [send] = await eventually(() => (agent.sends.length > 0 ? agent.sends : null));
    assert.equal(send?.path, '/mine');
  },
  async 'agent-port'(t) {
    const port = await freePort();
    const host = await AppHost.start(t, { flags: ['--agent-port', String(port)] });
    assert.equal(host.app.ports.agent, port);
  },
  'metrics-port': (t) =>
    opens(t, '/metrics', (port) => ({ flags: ['--metrics-port', port], env: { METRICS_PORT: '1' } })),
  'health-port': (t) => opens(t, '/healthz', (port) => ({ flags: ['--health-port', port], env: { HEALTH_PORT: '1' } })),
  async 'admin-port'(t) {
    const port = await freePort();
    await AppHost.start(t, { flags: ['--admin-port', String(port)] });
    const refused = await fetch(`http://127.0.0.1:${port}/api/v1/emit`);
    assert.equal(refused.status, 405);
  },
  async 'listen-address'(t) {
    const [address, host] = process.platform === 'linux' ? ['127.0.0.2', '127.0.0.2'] : ['::1', '[::1]'];
    const { app } = await AppHost.start(t, { flags: ['--listen-address', address] });
    assert.equal(await answers(`${host}:${app.ports.metrics}`, '/metrics'), true);
    assert.equal(await answers(`127.0.0.1:${app.ports.metrics}`, '/metrics'), false);
  },
  async 'log-level'(t) {
    const host = await logs(t, { flags: ['--log-level', 'error'], env: { LOG_LEVEL: 'debug' } });
    assert.deepEqual(host.lines, []);
  },
  async 'log-format'(t) {
    const host = await logs(t, { flags: ['--log-format', 'pretty'], env: { LOG_FORMAT: 'json' } });
    assert.ok(host.lines.every((line) => !line.startsWith('{')));
  },
  async 'no-keeper'(t) {
    // Only Linux tells a process's children without another program.
    if (!existsSync(`/proc/self/task/${process.pid}/children`)) return t.skip('no /proc');
    const children = ({ pid }: RunningHost): string => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    const kept = await RunningHost.start(t, {});
    const alone = await RunningHost.start(t, { flags: ['--no-keeper'] });
    assert.notEqual(children(kept), '');
    assert.equal(children(alone), '');
  },
};

describe('environment variables', () => {
  it('are all set below', async () => {
    const read = await variablesRead();
    assert.deepEqual([...Object.keys(VARIABLES), ...BESIDE_ANOTHER].sort(), read);
  });
  for (const [name, flip] of Object.entries(VARIABLES)) it(`${name} has an effect`, flip);

  it('WATCH_NAMESPACE and those of the webhook reach their plugins through the shipped plugins.yaml', async () => {
    const variables = { WATCH_NAMESPACE: 'shop', WEBHOOK_PORT: '8123', WEBHOOK_AUTH: 'bearer', WEBHOOK_TOKEN: 'x' };
    const loader = new ConfigLoader({
      configDirectory: resolve('config'),
      hooks: hooksFolder(resolve('config/hooks'), null),
      pluginsDirectory: resolve('plugins'),
      environment: readEnvironment(variables).environment,
      connectionProblem: () => null,
    });
    const { plans, problems } = await loader.load();
    assert.deepEqual(problems, []);
    const configs = Object.fromEntries(plans.map((plan) => [plan.name, plan.kind === 'run' ? plan.spec.config : null]));
    assert.equal(configs.kubernetes?.namespace, 'shop');
    assert.deepEqual([configs.webhook?.port, configs.webhook?.auth], [8123, 'bearer']);
  });
});

describe('log level of a running host', () => {
  it('shows what a plugin says at debug level as soon as it is asked for', async (t) => {
    const host = await AppHost.start(t, { plugins: yaml(), bundles: { stubborn: 'test/fixtures/plugins/stubborn' } });
    await host.plugin('stubborn', 'running');
    const url = `http://127.0.0.1:${host.app.ports.admin}/api/v1/log-level`;
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ level: 'debug', plugin: 'stubborn' });
    assert.equal((await fetch(url, { method: 'PUT', headers, body })).status, 200);
    await eventually(() => host.grep(/\[DEBUG\] still here/).length > 0);
  });
});

describe('flags of khook run', () => {
  it('are all given below', () => {
    assert.deepEqual(Object.keys(FLAGS).sort(), RUN_FLAGS.map(({ name }) => name).sort());
  });
  for (const [name, flip] of Object.entries(FLAGS)) it(`--${name} has an effect`, flip);
});
