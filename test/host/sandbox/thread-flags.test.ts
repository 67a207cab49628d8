import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { NO_PERMISSIONS, type Permissions } from '../../../host/config/permissions.ts';
import { threadEnvironment, threadFlags } from '../../../host/sandbox/thread-flags.ts';

const flags = (permissions: Partial<Permissions>): string[] =>
  threadFlags({ directory: '/bundles/webhook', permissions: { ...NO_PERMISSIONS, ...permissions } });
const paths = (given: string[], name: string): string[] =>
  given.flatMap((flag) => (flag.startsWith(`--${name}=`) ? [flag.slice(name.length + 3)] : []));

describe('thread flags', () => {
  it('deny everything that was not granted', () => {
    const given = flags({});
    for (const flag of ['--permission', '--no-addons', '--no-experimental-sqlite', '--unhandled-rejections=strict']) {
      assert.ok(given.includes(flag), flag);
    }
    assert.ok(
      !given.some((flag) => /allow-(net|fs-write|worker|child|addons|wasi|inspector)/.test(flag)),
      given.join(' '),
    );
  });

  it('let a plugin read its own bundle, one file of the guard, and nothing beside them', () => {
    const [own, opened = '', ...others] = paths(flags({}), 'allow-fs-read');
    assert.deepEqual([own, others], ['/bundles/webhook/', []]);
    // A path without a slash at its end would also match its neighbours.
    assert.ok(opened.endsWith('/ipc/runtime/guard/file-handles.ts') && existsSync(opened), opened);
  });

  it('name each granted folder once, as a folder', () => {
    const given = flags({ read: ['/data', '/etc/certs/'], write: ['/data', '/var/spool/'] });
    assert.deepEqual(paths(given, 'allow-fs-read').slice(-2), ['/data/', '/etc/certs/']);
    assert.deepEqual(paths(given, 'allow-fs-write'), ['/data/', '/var/spool/']);
  });

  it('open the network for each kind of use of it, and for no other permission', () => {
    const uses: [Partial<Permissions>, boolean][] = [
      [{ net: { any: true, listen: [], connect: [] } }, true],
      [{ net: { any: false, listen: [8090], connect: [] } }, true],
      [{ net: { any: false, listen: [], connect: ['kafka:9092'] } }, true],
      [{ kubernetes: true }, true],
      [{ env: ['TOKEN'], read: ['/data'] }, false],
    ];
    for (const [permissions, expected] of uses) assert.equal(flags(permissions).includes('--allow-net'), expected);
  });
});

describe('thread environment', () => {
  it('holds the granted names that are set, and nothing else', () => {
    const variables = { PATH: '/bin', TOKEN: 't', EMPTY: '' };
    assert.deepEqual(threadEnvironment(['TOKEN', 'EMPTY', 'UNSET'], variables), { TOKEN: 't', EMPTY: '' });
    assert.deepEqual(threadEnvironment([], variables), {});
  });

  it('grants no name that only a prototype knows', () => {
    assert.deepEqual(Object.keys(threadEnvironment(['constructor', 'toString', '__proto__'], { TOKEN: 't' })), []);
  });
});
