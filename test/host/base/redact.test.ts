import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSecretName, REDACTED, redactText, redactValue } from '../../../host/base/redact.ts';

/** `hush` stands wherever the secret does: nothing of it may be left. */
const SECRETS = [
  'Authorization: Bearer hush-hush',
  'authorization=Basic aHVzaDpodXNo',
  '{"Authorization":"Bearer hush.1"}',
  'proxy-authorization: hush1',
  'called with Bearer hush2hush2',
  'curl -H "Authorization: Token hush" http://x',
  'Basic dXNlcjpodXNoaHVzaA==',
  'postgres://me:hush@db:5432/shop',
  'redis://:hush@cache',
  'clone of https://me:hush%21@git.example.com/x failed',
  'password=hush',
  'password = hush',
  'PASSWORD: Hush',
  'password: hush',
  '"password": "hush hush"',
  "passwd: 'hush it'",
  '\\"password\\":\\"hush\\"',
  'DB_PASSWORD=hush; DB_USER=me',
  'passphrase=hush,next',
  'pwd=hush&user=me',
  '--password hush',
  '--api-key=hush',
  '--db-password=hush --verbose',
  '--registry-token hush1',
  'api_key: Hush1',
  'apikey=hush',
  'X-Api-Key: hush-1',
  'aws_secret_access_key = hush/hush+hush',
  'AWS_SECRET_ACCESS_KEY=hush',
  'secretAccessKey: "hush"',
  'client_secret=hush',
  'token: 9hush81884c7d659',
  'token=hush',
  'session_token="hush"',
  '?access_token=hush&x=1',
  'Cookie: session=hush; theme=dark',
  'set-cookie: id=hush',
  'credentials: hush:hush1',
  '-----BEGIN RSA PRIVATE KEY-----\nhush\nhush\n-----END RSA PRIVATE KEY-----',
  '-----BEGIN PRIVATE KEY-----\\nhush\\nhush',
  '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nhush\n-----END PGP PRIVATE KEY BLOCK-----',
];

/** Known by their shape alone. */
const SHAPES = [
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl',
  'AKIAIOSFODNN7EXAMPLE',
  'ASIAIOSFODNN7EXAMPLE',
  `ghp_${'a1B2'.repeat(9)}`,
  `ghs_${'a1B2'.repeat(9)}`,
  `github_pat_${'a1B2'.repeat(10)}`,
  `glpat-${'a1B2'.repeat(5)}`,
  'xoxb-123456789012-abcdefABCDEF',
  `AIza${'a1B2_'.repeat(7)}`,
  `sk-ant-api03-${'a1B2'.repeat(8)}`,
  `sk-${'a1B2'.repeat(8)}`,
  `sk_live_${'a1B2'.repeat(6)}`,
  `npm_${'a1B2'.repeat(9)}`,
];

const ORDINARY = [
  'automountServiceAccountToken: true',
  'automountServiceAccountToken=false',
  'the token bucket is empty',
  'invalid token: expired',
  'Unexpected token < in JSON at position 0',
  'unexpected token: }',
  'Unexpected token: EOF',
  'JSON Parse error: Unrecognized token "<"',
  'tokens: 512, max tokens=1024',
  'tokenTTL: 5m',
  'Back-off restarting failed container web in pod web-7d4b9c6f5-abcde_shop(6f0c3b1e-1111-4222-8333-944445555666)',
  'Failed to pull image "ghcr.io/acme/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
  'MountVolume.SetUp failed for volume "certs" : secret "web-tls" not found',
  'Error: secret "db-credentials" not found',
  'failed to get secret: secrets "x" not found',
  'Error getting secret: kube-system/dashboard-x7k2p',
  'could not find Secret: registry-credentials',
  'imagePullSecrets: [regcred]',
  'secretName: web-tls',
  'secretKeyRef: {name: db, key: url}',
  'secret key ring is missing',
  'Bearer authentication required',
  'basic authentication is not supported',
  'Basic constraints of the certificate are wrong',
  'Authorization: denied',
  'authorization failed: user "system:serviceaccount:shop:web" cannot list pods',
  'password: must be at least 8 characters',
  'the password is wrong',
  'password expired',
  'password: incorrect',
  'usage: --token string   bearer token for authentication',
  '--password-file=/run/p',
  '--token-ttl 5m',
  '--tls-private-key-file=/etc/kubernetes/pki/apiserver.key',
  'cookie: none',
  'Liveness probe failed: Get "http://10.1.2.3:8080/healthz": dial tcp 10.1.2.3:8080: connect: connection refused',
  'Readiness probe failed: HTTP probe failed with statuscode: 503',
  'nodes "ip-10-0-0-1.ec2.internal" not found',
  'https://user@git.example.com/repo.git',
  'git@github.com:acme/web.git',
  'http://[::1]:8080/path@x',
  'time 03:04:05 a:b@c',
  '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
  'task-abcdefghijklmnopqrstuvwxyz-1',
  'sk-abcdefghijklmnopqrstuvwxyz',
  'the eyJ prefix',
  'commit 83edbc4f0c3b1e2d4a5968778695a4b3c2d1e0f0',
  'commonName: token-service.shop.svc',
  'Created container: token-refresher',
];

test('redaction: what is a secret by its place is taken out', () => {
  for (const text of SECRETS) {
    const redacted = redactText(text);
    assert.doesNotMatch(redacted, /hush|aHVz|dXNlc/i, text);
    assert.ok(redacted.includes(REDACTED), text);
  }
});

test('redaction: what is a secret by its shape is taken out, and the text around it stays', () => {
  for (const secret of SHAPES) assert.equal(redactText(`<${secret}> was leaked`), `<${REDACTED}> was leaked`, secret);
});

test('redaction: ordinary text stays as it is', () => {
  for (const text of ORDINARY) assert.equal(redactText(text), text);
});

test('redaction: names of fields are told apart', () => {
  for (const name of ['token', 'webhookToken', 'X-Api-Key', 'Authorization', 'client_secrets', 'DB_PASSWORD'])
    assert.ok(isSecretName(name), name);
  for (const name of ['tokenCount', 'secretName', 'passwordFile', 'message', 'key', 'tokenizer'])
    assert.ok(!isSecretName(name), name);
});

test('redaction: a switch, a count and nothing are no secrets, whatever they are called', () => {
  for (const value of [true, false, null, undefined, '']) assert.equal(redactValue('token', value), value);
  assert.equal(redactValue('tokens', 512), 512);
  assert.equal(redactValue('token', 512), REDACTED);
  assert.equal(redactValue('token', { nested: 'x' }), REDACTED);
});

test('redaction: a second time changes nothing', () => {
  for (const text of [...SECRETS, ...SHAPES, ...ORDINARY]) assert.equal(redactText(redactText(text)), redactText(text));
});

test('redaction: a secret is found wherever it stands', () => {
  const pieces = fc.array(fc.constantFrom(...SECRETS, ...ORDINARY), { maxLength: 8 });
  fc.assert(
    fc.property(pieces, fc.constantFrom('\n', '\r\n', ' | ', '; ', '\t'), (lines, separator) => {
      assert.doesNotMatch(redactText(lines.join(separator)), /hush|aHVz|dXNlc/i);
    }),
    { numRuns: 300 },
  );
});

test('redaction: the time grows with the length of the text and no faster', () => {
  const bad = [
    'token',
    'token ',
    '--token ',
    'a:',
    '://a',
    'Bearer ',
    'eyJaaaaaaaa.',
    '-----BEGIN PRIVATE KEY-----',
    '-',
    '\\',
    'a-',
  ];
  for (const piece of [
    ...bad,
    'password: "',
    'cookie: ',
    'authorization: bearer ',
    'sk-',
    'ghp_a',
    'secret: a/',
    '--a',
  ]) {
    const started = performance.now();
    redactText(piece.repeat(Math.ceil(65_536 / piece.length)));
    const ms = performance.now() - started;
    assert.ok(ms < 200, `${JSON.stringify(piece)} took ${ms.toFixed(0)} ms`);
  }
});
