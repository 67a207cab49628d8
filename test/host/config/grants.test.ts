import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { coversFolder, describePermissions, grantYaml, missingGrants } from '../../../host/config/grants.ts';
import { NO_PERMISSIONS, type Permissions } from '../../../host/config/permissions.ts';
import { permissionsSchema } from '../../../host/config/permissions-schema.ts';
import { folderLookUp, resolvePermissions } from '../../../host/config/resolve-permissions.ts';
import { tempDir } from '../../support/temp-dir.ts';

function net(part: Partial<Permissions['net']>): Permissions {
  return { ...NO_PERMISSIONS, net: { ...NO_PERMISSIONS.net, ...part } };
}

test('grants: nothing is missing when nothing is asked for', () => {
  assert.equal(missingGrants(NO_PERMISSIONS, NO_PERMISSIONS), null);
});

test('grants: net any covers neither listening, nor loopback, nor a name that may resolve to it', () => {
  const any = net({ any: true });
  assert.deepEqual(missingGrants(net({ listen: [8090] }), any)?.net.listen, [8090]);
  const near = [
    '127.0.0.1:80',
    '127.9.9.9:80',
    '0.0.0.0:80',
    '169.254.169.254:80',
    '[::1]:80',
    '[::ffff:127.0.0.1]:80',
    'localhost:80',
    'a.example:443',
  ];
  assert.deepEqual(missingGrants(net({ connect: near }), any)?.net.connect, near);
  assert.equal(missingGrants(net({ connect: ['192.0.2.7:443'] }), any), null);
  assert.deepEqual(missingGrants(any, net({ connect: ['a.example:443'] }))?.net.any, true);
});

test('grants: a folder covers what lies below it and not what merely begins like it', () => {
  assert.ok(coversFolder('/data', '/data'));
  assert.ok(coversFolder('/data', '/data/a/b'));
  assert.ok(coversFolder('/', '/data'));
  assert.ok(!coversFolder('/data', '/database'));
  assert.ok(!coversFolder('/data/a', '/data'));
});

test('grants: a right to write is no right to read', () => {
  const missing = missingGrants({ ...NO_PERMISSIONS, read: ['/data'] }, { ...NO_PERMISSIONS, write: ['/data'] });
  assert.deepEqual(missing?.read, ['/data']);
});

test('grants: are told in one sentence', () => {
  const text = describePermissions({ ...net({ listen: [80] }), env: ['TOKEN'], kubernetes: true });
  assert.equal(text, 'listen on port 80; see the environment variable TOKEN; use the Kubernetes connection');
});

test('grants: are written as readable YAML', () => {
  assert.equal(
    grantYaml('webhook', { ...net({ listen: [8090] }), env: ['TOKEN'] }),
    [
      'plugins:',
      '  - name: webhook',
      '    permissions:',
      '      net:',
      '        listen:',
      '          - 8090',
      '      env:',
      '        - TOKEN',
      '',
    ].join('\n'),
  );
});

const permissions: fc.Arbitrary<Permissions> = fc.record({
  net: fc.record({
    any: fc.boolean(),
    listen: fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { maxLength: 3 }),
    connect: fc.uniqueArray(fc.constantFrom('a.example:443', '127.0.0.1:80', '[::1]:9', '192.0.2.1:1'), {
      maxLength: 3,
    }),
  }),
  read: fc.uniqueArray(fc.constantFrom('/data', '/data/a', '/tmp x', '/no: yes', '/'), { maxLength: 3 }),
  write: fc.uniqueArray(fc.constantFrom('/data', '/#a', '/true'), { maxLength: 2 }),
  env: fc.uniqueArray(fc.constantFrom('TOKEN', 'yes', 'null', 'NO'), { maxLength: 3 }),
  kubernetes: fc.boolean(),
});

test('grants: the YAML that is printed grants exactly what it was printed for', () => {
  fc.assert(
    fc.property(permissions, (requested) => {
      const document = parse(grantYaml('x', requested)) as { plugins: [{ permissions: unknown }] };
      const written = permissionsSchema.parse(document.plugins[0].permissions);
      const granted = resolvePermissions(written, {
        place: { file: 'plugins.yaml', document: null, basePath: [], subject: 'x' },
        scope: { config: {}, declares: () => false },
        folder: (path) => ({ kind: 'ok', path }),
      });
      assert.deepEqual(granted, { permissions: structuredClone(requested), problems: [] });
      assert.equal(missingGrants(requested, granted.permissions), null);
    }),
    { numRuns: 200 },
  );
});

test('grants: what is missing and then granted is no longer missing', () => {
  fc.assert(
    fc.property(permissions, permissions, (requested, granted) => {
      const missing = missingGrants(requested, granted);
      if (missing === null) return;
      const both: Permissions = {
        net: {
          any: granted.net.any || missing.net.any,
          listen: [...granted.net.listen, ...missing.net.listen],
          connect: [...granted.net.connect, ...missing.net.connect],
        },
        read: [...granted.read, ...missing.read],
        write: [...granted.write, ...missing.write],
        env: [...granted.env, ...missing.env],
        kubernetes: granted.kubernetes || missing.kubernetes,
      };
      assert.equal(missingGrants(requested, both), null);
    }),
    { numRuns: 200 },
  );
});

test('grants: a folder must exist and be a folder, and a link counts as what it leads to', (t) => {
  const base = tempDir(t);
  mkdirSync(`${base}/real`);
  symlinkSync('real', `${base}/link`);
  writeFileSync(`${base}/file`, '');
  const look = folderLookUp(base);
  assert.deepEqual(look('link'), { kind: 'ok', path: `${base}/real` });
  const fix = 'create the folder, or name one that exists';
  assert.deepEqual(look('file'), { kind: 'bad', why: 'is not a folder', fix });
  assert.deepEqual(look('nothing'), { kind: 'bad', why: 'does not exist', fix });
  symlinkSync('../..', `${base}/real/out`);
  const fault = look('real');
  assert.ok(fault.kind === 'bad');
  assert.equal(fault.why, "holds a link that leads out of it: 'out'");
});
