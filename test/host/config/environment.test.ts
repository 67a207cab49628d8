import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvironment } from '../../../host/config/environment.ts';

test('environment: nothing set gives the defaults, and says that they are', () => {
  const { environment, problems } = readEnvironment({});
  assert.deepEqual(problems, []);
  const { provenance, variables, ...values } = environment;
  assert.deepEqual(values, {
    logLevel: 'info',
    logFormat: 'auto',
    kagentApiUrl: 'http://kagent-controller.kagent.svc.cluster.local:8083',
    kagentUserId: 'admin@kagent.dev',
    kagentApiTimeoutMs: 120_000,
    metricsPort: 8080,
    healthPort: 8081,
    podNamespace: null,
    podName: null,
    leaderElection: false,
    watchNamespaces: [],
    isolation: null,
  });
  assert.deepEqual(Object.keys(provenance).sort(), Object.keys(values).sort());
  assert.ok(Object.values(provenance).every((origin) => origin === 'default'));
  assert.deepEqual(variables, {});
});

test('environment: every variable has an effect', () => {
  const variables = {
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'json',
    KAGENT_API_URL: 'https://kagent.example/',
    KAGENT_USER_ID: 'someone',
    KAGENT_API_TIMEOUT: '1m30s',
    METRICS_PORT: '0',
    HEALTH_PORT: '9081',
    LEADER_ELECTION: 'true',
    POD_NAMESPACE: 'kagent',
    POD_NAME: 'khook-0',
    WATCH_NAMESPACE: ' shop,kagent,, shop ',
    KHOOK_ISOLATION: 'process',
    TOKEN: 'kept for plugins',
  };
  const { environment, problems } = readEnvironment(variables);
  assert.deepEqual(problems, []);
  const { provenance, variables: kept, ...values } = environment;
  assert.deepEqual(values, {
    logLevel: 'debug',
    logFormat: 'json',
    kagentApiUrl: 'https://kagent.example',
    kagentUserId: 'someone',
    kagentApiTimeoutMs: 90_000,
    metricsPort: 0,
    healthPort: 9081,
    podNamespace: 'kagent',
    podName: 'khook-0',
    leaderElection: true,
    watchNamespaces: ['shop', 'kagent'],
    isolation: 'process',
  });
  assert.ok(Object.values(provenance).every((origin) => origin === 'env'));
  assert.deepEqual(kept, variables);
});

test('environment: the older name of the URL counts when the newer is not set', () => {
  const older = { KAGENT_API_BASE_URL: 'http://older//' };
  assert.equal(readEnvironment(older).environment.kagentApiUrl, 'http://older');
  assert.equal(readEnvironment({ ...older, KAGENT_API_URL: '' }).environment.kagentApiUrl, 'http://older');
  assert.equal(readEnvironment({ ...older, KAGENT_API_URL: 'http://newer' }).environment.kagentApiUrl, 'http://newer');
});

test('environment: what is wrong is said in the known words, and the default applies', () => {
  const cases: readonly [name: string, text: string, message: string][] = [
    ['KAGENT_API_URL', 'ftp://x', 'invalid client configuration: BaseURL must start with http:// or https://'],
    [
      'KAGENT_API_URL',
      `http://${'x'.repeat(2_050)}`,
      'invalid client configuration: BaseURL too long: 2057 characters (max 2048)',
    ],
    ['KAGENT_API_URL', ' ', 'invalid client configuration: BaseURL cannot be empty'],
    ['KAGENT_USER_ID', ' ', 'invalid client configuration: UserID cannot be empty'],
    ['KAGENT_USER_ID', 'x'.repeat(101), 'invalid client configuration: UserID too long: 101 characters (max 100)'],
    ['KAGENT_USER_ID', 'a@b', 'invalid client configuration: UserID appears to be an email but has invalid format'],
    ['KAGENT_USER_ID', 'a@b@c.d', 'invalid client configuration: UserID appears to be an email but has invalid format'],
    [
      'KAGENT_USER_ID',
      'a b',
      'invalid client configuration: UserID may only hold letters, digits, dots, dashes and underscores',
    ],
    ['KAGENT_API_TIMEOUT', '30', "invalid KAGENT_API_TIMEOUT format: '30'"],
    ['KAGENT_API_TIMEOUT', '-5s', 'invalid client configuration: Timeout must be positive, got -5s'],
    ['KAGENT_API_TIMEOUT', '10m', 'invalid client configuration: Timeout too long: 10m (max 300s)'],
    ['LOG_LEVEL', 'debgu', "LOG_LEVEL must be one of: debug, info, warn, error, got 'debgu'"],
    ['LOG_FORMAT', 'xml', "LOG_FORMAT must be one of: json, pretty, auto, got 'xml'"],
    ['METRICS_PORT', 'http', "METRICS_PORT must be an integer, got 'http'"],
    ['HEALTH_PORT', '70000', 'HEALTH_PORT must be between 0 and 65535, got 70000'],
    ['WATCH_NAMESPACE', 'a,B', "WATCH_NAMESPACE must be names of namespaces, got 'B'"],
    ['LEADER_ELECTION', 'maybe', "LEADER_ELECTION must be true or false, got 'maybe'"],
  ];
  const defaults = readEnvironment({}).environment;
  for (const [name, text, message] of cases) {
    const { environment, problems } = readEnvironment({ [name]: text });
    assert.deepEqual(
      problems.map((problem) => [problem.path, problem.message]),
      [[name, message]],
    );
    assert.deepEqual({ ...environment, variables: {} }, { ...defaults, variables: {} }, name);
  }
});
