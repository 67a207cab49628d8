import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { createGzip, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { ArchiveLimits } from '../../../host/config/archive-policy.ts';
import { digestOf, unpackArchive } from '../../../host/config/archive-stream.ts';
import { DEFAULT_SETTINGS } from '../../../host/config/settings.ts';
import { codeOf, messageOf } from '../../../ipc/errors.ts';
import { longName, packed, paxHeader, type TarEntry, tar, tarEntry, tgz } from '../../support/archive.ts';
import { ATTACKS, type Attack, DAMAGED } from '../../support/archive-attacks.ts';
import { tempDir } from '../../support/temp-dir.ts';

const MIB = 1024 * 1024;

interface Given {
  readonly limits?: Partial<ArchiveLimits>;
  readonly signal?: AbortSignal;
}

interface Outcome {
  /** Path → text, below the folder that was unpacked into. */
  readonly files: Readonly<Record<string, string>>;
  readonly into: string;
  readonly error: unknown;
}

async function unpack(t: TestContext, archive: Buffer, { limits = {}, signal }: Given = {}): Promise<Outcome> {
  const root = tempDir(t);
  const into = join(root, 'deep/er/into');
  mkdirSync(into, { recursive: true });
  writeFileSync(join(root, 'it.tgz'), archive);
  const options = {
    into,
    limits: { ...DEFAULT_SETTINGS.archives, ...limits },
    signal: signal ?? new AbortController().signal,
  };
  await using file = await open(join(root, 'it.tgz'));
  let error: unknown = null;
  try {
    const digest = await digestOf(file, options);
    assert.equal(await unpackArchive(file, options), digest);
  } catch (thrown) {
    error = thrown;
  }
  const around = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (path) => !path.startsWith('deep/er/into'),
  );
  assert.deepEqual(around.sort(), ['deep', 'deep/er', 'it.tgz'], 'nothing is written outside');
  return { files: filesIn(into), into, error };
}

function filesIn(folder: string): Record<string, string> {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(files.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]));
}

/** From a few bytes on it counts as an open file of this process. */
const openFiles = (): number => readdirSync('/proc/self/fd').length;

async function isRefused(t: TestContext, { archives, says, code = 'HOST_ERR_BUNDLE_ARCHIVE' }: Attack): Promise<void> {
  for (const [index, archive] of archives.entries()) {
    const { error } = await unpack(t, archive);
    assert.match(messageOf(error), says, `archive ${index}`);
    assert.equal(codeOf(error), code, `archive ${index}: ${messageOf(error)}`);
    assert.ok(!/[\p{Cc}\p{Cf}]/u.test(messageOf(error)), 'one line, and nothing that would hide in it');
  }
}

describe('archive stream', () => {
  for (const attack of ATTACKS) it(`refuses ${attack.what}`, (t) => isRefused(t, attack));

  for (const attack of DAMAGED) it(`says of an archive that it is ${attack.what}`, (t) => isRefused(t, attack));

  it('writes the files of an archive without its top-level folder, whatever that is called', async (t) => {
    const expected = { 'package.json': '{}', 'lib/deep/a.js': 'a', 'b.js': '' };
    for (const top of ['package', 'webhook-1.0.0', './webhook']) {
      const { files, error } = await unpack(t, packed(expected, top));
      assert.deepEqual([files, error], [expected, null]);
    }
  });

  it('comes to an end with every archive, whatever its headers say, and writes nowhere else', async (t) => {
    const name = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...'abcdefgh').map((letter) => `package/${letter}`) },
      fc.constantFrom('package/b/', 'package/../x', './package/c', '', 'package/a/b', 'package'),
      fc.string({ unit: 'binary', maxLength: 90 }),
    );
    const bytes = fc.uint8Array({ minLength: 12, maxLength: 12 }).map((field) => Buffer.from(field));
    const size = fc.oneof(bytes, fc.nat(2_000), fc.constantFrom('', '-1', '77777777777', '          0', '0x10'));
    const record = fc.constantFrom('path', 'size', 'linkpath', 'GNU.sparse.name', '__proto__', 'comment');
    const value = fc.oneof(name, fc.constantFrom('0', '-1', '1e99', 'NaN', '600', '../x'));
    const part = fc.oneof(
      fc.record({
        name,
        type: fc.constantFrom(...'000000000000012345567xxggLLKKNS\0'),
        content: fc.string({ maxLength: 1_500 }),
        size: fc.option(size, { nil: undefined }),
        magic: fc.constantFrom('ustar\x0000', 'ustar  \0'),
      }),
      fc.dictionary(record, value, { noNullPrototype: true }).map((records) => paxHeader(records)),
      fc.string({ maxLength: 600 }).map(longName),
      fc.uint8Array({ maxLength: 1_024 }).map((noise) => Buffer.from(noise)),
    );
    const whole = fc.array(part, { maxLength: 6 }).map((parts) => tar(...(parts as TarEntry[])));
    const cut = fc
      .tuple(whole, fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3 }))
      .map(([content, share]) => {
        return share === null ? content : content.subarray(0, Math.floor(content.length * share));
      });
    let good = 0;
    const property = fc.asyncProperty(cut, async (content) => {
      const tooLong = new AbortController();
      const timer = setTimeout(() => tooLong.abort(), 10_000);
      const { error } = await unpack(t, gzipSync(content), { signal: tooLong.signal });
      clearTimeout(timer);
      if (error === null) good += 1;
      else assert.match(codeOf(error), /^HOST_ERR_BUNDLE_(ARCHIVE|TOO_LARGE)$/, messageOf(error));
    });
    await fc.assert(property, { numRuns: 150, endOnFailure: true });
    t.diagnostic(`${good} of 150 were unpacked`);
  });

  it('takes long names and large files, by pax and by the way of GNU', async (t) => {
    const path = `package/${'n'.repeat(120)}/${'m'.repeat(120)}/größer.js`;
    const large = Buffer.alloc(3 * MIB, 'x');
    const { files, error } = await unpack(
      t,
      tgz(
        paxHeader({ path }),
        { name: 'package/short', content: '1' },
        longName(`${path}2`),
        { name: 'package/short', content: '2', magic: 'ustar  \0' },
        paxHeader({ comment: 'a commit' }, 'g'),
        { name: 'package/short', content: '3' },
        paxHeader({ size: String(large.length) }),
        tarEntry({ name: 'package/large', size: 0, content: large }),
      ),
    );
    assert.equal(error, null);
    const short = path.slice('package/'.length);
    assert.deepEqual(Object.keys(files).sort(), ['large', short, `${short}2`, 'short'].sort());
    assert.equal(files.large?.length, large.length);
  });

  it('takes what GNU tar makes of a folder', {
    skip: process.platform === 'linux' ? false : 'needs GNU tar',
  }, async (t) => {
    const root = tempDir(t);
    const long = `${'d'.repeat(90)}/${'e'.repeat(60)}/größer.js`;
    const expected = { 'package.json': '{}', 'lib/a.js': 'a'.repeat(100_000), empty: '', [long]: 'long' };
    for (const [path, text] of Object.entries(expected)) {
      mkdirSync(join(root, 'webhook', path, '..'), { recursive: true });
      writeFileSync(join(root, 'webhook', path), text);
    }
    for (const format of ['ustar', 'gnu', 'pax']) {
      for (const folder of ['webhook', './webhook']) {
        const archive = join(root, `${format}.tgz`);
        execFileSync('tar', ['-czf', archive, `--format=${format}`, '-C', root, folder]);
        const { files, error } = await unpack(t, readFileSync(archive));
        assert.deepEqual([files, error], [expected, null], format);
      }
    }
  });

  it('takes a folder that is named after what lies in it', async (t) => {
    const { files, error } = await unpack(
      t,
      tgz({ name: 'package/a/b', content: 'x' }, { name: 'package/a/', type: '5' }, { name: 'package', type: '5' }),
    );
    assert.deepEqual([files, error], [{ 'a/b': 'x' }, null]);
  });

  it('gives files no more than 0644 or 0755, whatever the archive asks for', async (t) => {
    const mode = (path: string): number => statSync(path).mode & 0o7777;
    const { into } = await unpack(
      t,
      tgz(
        { name: 'package/plain', mode: 0o666 },
        { name: 'package/suid', mode: 0o6777 },
        { name: 'package/none', mode: 0 },
        { name: 'package/sticky/', type: '5', mode: 0o7000 },
      ),
    );
    const umask = process.umask();
    assert.deepEqual(
      ['plain', 'suid', 'none', 'sticky'].map((name) => mode(join(into, name))),
      [0o644, 0o755, 0o644, 0o755].map((wanted) => wanted & ~umask),
    );
  });

  it('stops a bomb early: by what comes out, not by what it says', async (t) => {
    const zeros = Readable.from(
      (function* () {
        yield tarEntry({ name: 'package/a', size: 300 * MIB });
        for (let n = 0; n < 300; n += 1) yield Buffer.alloc(MIB);
      })(),
    );
    const bomb = await buffer(zeros.pipe(createGzip()));
    assert.ok(bomb.length < MIB);
    const before = process.memoryUsage.rss();
    const started = performance.now();
    const limits = { maxBytes: 10 * MIB, maxFileBytes: 1024 * MIB };
    const { error, into } = await unpack(t, bomb, { limits });
    t.diagnostic(
      `${Math.round(performance.now() - started)} ms, ${(process.memoryUsage.rss() - before) / MIB} MB more`,
    );
    assert.equal(codeOf(error), 'HOST_ERR_BUNDLE_TOO_LARGE');
    assert.match(messageOf(error), /holds more than 10MiB/);
    assert.ok(statSync(join(into, 'a')).size <= 10 * MIB);
    assert.ok(process.memoryUsage.rss() - before < 100 * MIB);
  });

  it('counts everything against the limit, headers and folders too, and takes what just fits', async (t) => {
    const content = tar(...Array.from({ length: 20 }, (_, n) => ({ name: `package/${n}/`, type: '5' })));
    const maxBytes = content.length;
    assert.equal((await unpack(t, gzipSync(content), { limits: { maxBytes } })).error, null);
    const { error } = await unpack(t, gzipSync(content), { limits: { maxBytes: maxBytes - 1 } });
    assert.equal(codeOf(error), 'HOST_ERR_BUNDLE_TOO_LARGE');
    const file = tgz({ name: 'package/a', content: 'x'.repeat(100) });
    assert.equal((await unpack(t, file, { limits: { maxFileBytes: 100 } })).error, null);
    assert.notEqual((await unpack(t, file, { limits: { maxFileBytes: 99 } })).error, null);
  });

  it('takes no archive that is itself larger than the limit', async (t) => {
    const { error } = await unpack(t, Buffer.alloc(2 * MIB), { limits: { maxBytes: MIB } });
    assert.equal(codeOf(error), 'HOST_ERR_BUNDLE_TOO_LARGE');
  });

  it('leaves no file open, however it ends', {
    skip: process.platform === 'linux' ? false : 'reads /proc',
  }, async (t) => {
    await unpack(t, packed({ 'package.json': '{}' }));
    const before = openFiles();
    for (const { archives } of [...ATTACKS.slice(0, 12), ...DAMAGED])
      for (const archive of archives) await unpack(t, archive);
    assert.equal(openFiles(), before);
  });

  it('ends at once when it is no longer wanted', async (t) => {
    const controller = new AbortController();
    const files = Array.from({ length: 4_000 }, (_, n) => [`${n}.js`, 'x'.repeat(2_000)] as const);
    const timer = setImmediate(() => controller.abort());
    const { error, files: written } = await unpack(t, packed(Object.fromEntries(files)), { signal: controller.signal });
    clearImmediate(timer);
    assert.equal((error as Error).name, 'AbortError');
    assert.ok(Object.keys(written).length < 4_000);
  });

  it('says what the disk said, and nothing about the archive, when the disk fails', async (t) => {
    const into = join(tempDir(t), 'gone');
    writeFileSync(`${into}.tgz`, packed({ 'package.json': '{}' }));
    await using file = await open(`${into}.tgz`);
    const { signal } = new AbortController();
    await assert.rejects(unpackArchive(file, { into, limits: DEFAULT_SETTINGS.archives, signal }), { code: 'ENOENT' });
  });
});
