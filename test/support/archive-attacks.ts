/** Archives that must not be unpacked: by what they hold, in the words of docs/security.md, and what is said of them. */

import { gzipSync } from 'node:zlib';
import { longName, packed, paxHeader, type TarEntry, tar, tarEntry, tgz } from './archive.ts';

export interface Attack {
  /** A row of docs/security.md. */
  readonly what: string;
  readonly archives: readonly Buffer[];
  readonly says: RegExp;
  readonly code?: string;
}

const MIB = 1024 * 1024;
const TOO_LARGE = 'HOST_ERR_BUNDLE_TOO_LARGE';
const MANIFEST: TarEntry = { name: 'package/package.json', content: '{}' };
/** A good entry first: what is refused must not depend on standing first. */
const named = (...names: string[]): Buffer[] => names.map((name) => tgz(MANIFEST, { name, content: 'x' }));
const typed = (type: string): Buffer =>
  tgz(MANIFEST, { name: 'package/it', type, linkname: '12'.includes(type) ? '../../../etc/passwd' : '' });

export const ATTACKS: readonly Attack[] = [
  {
    what: 'an absolute path',
    archives: [...named('/etc/cron.d/it'), tgz(MANIFEST, paxHeader({ path: '/etc/it' }), { name: 'package/a' })],
    says: /is an absolute path/,
  },
  {
    what: 'a path with `..`',
    archives: [
      ...named('package/../../it', '../it', 'package/..', '..'),
      tgz(MANIFEST, paxHeader({ path: 'package/../../it' }), { name: 'package/a', content: 'x' }),
      tgz(paxHeader({ path: '../it' }, 'g'), paxHeader({ comment: '' }), MANIFEST),
      tgz(MANIFEST, longName('package/../../it'), { name: 'package/a', content: 'x' }),
    ],
    says: /holds '\.\.'/,
  },
  { what: 'a backslash in a name', archives: named('package\\..\\it', 'package/a\\b'), says: /holds a backslash/ },
  {
    what: 'a control or invisible character in a name',
    archives: [
      ...named('package/a\nb', 'package/a\x1b[2Jb', 'package/a\u202eb', 'package/a\u2028b'),
      tgz(MANIFEST, paxHeader({ path: 'package/a\0b' }), { name: 'package/a' }),
      tgz(MANIFEST, { name: Buffer.from('package/\xff', 'latin1') }),
    ],
    says: /holds a character that is no part of a file name/,
  },
  {
    what: 'a name that is empty, or too long for a file system',
    archives: [
      ...named('package//a', 'package/./a'),
      tgz(MANIFEST, paxHeader({ path: `package/${'n'.repeat(256)}` }), { name: 'package/a' }),
      tgz(MANIFEST, paxHeader({ path: `package/${'nn/'.repeat(400)}a` }), { name: 'package/a' }),
      tgz(MANIFEST, tarEntry({ name: '' })),
    ],
    says: /has an empty part|has a part of more than 255 bytes|has more than 1024 bytes|is empty/,
  },
  { what: 'a symbolic link', archives: [typed('2')], says: /'package\/it' is a symbolic link/ },
  { what: 'a hard link', archives: [typed('1')], says: /'package\/it' is a hard link/ },
  { what: 'a device', archives: [typed('3'), typed('4')], says: /'package\/it' is a device/ },
  { what: 'a named pipe', archives: [typed('6')], says: /'package\/it' is a named pipe/ },
  {
    what: 'an entry of another kind',
    archives: [
      ...['S', 'M', 'V', 'D', 'Z'].map(typed),
      ...named('package/a/'),
      tgz(MANIFEST, paxHeader({ 'GNU.sparse.major': '1' }), { name: 'package/a', content: 'x' }),
    ],
    says: /is of a kind that khook does not know|is a sparse file/,
  },
  {
    what: 'a file twice, or a file and a folder of one name',
    archives: [
      tgz(MANIFEST, { name: 'package/a', content: '1' }, { name: 'package/a', content: '2' }),
      tgz(MANIFEST, { name: 'package/a/', type: '5' }, { name: 'package/a/', type: '5' }),
      tgz(MANIFEST, { name: 'package/a', content: '1' }, { name: 'package/a/b', content: '2' }),
      tgz(MANIFEST, { name: 'package/a/b', content: '1' }, { name: 'package/a', content: '2' }),
      // What stands behind the end of the first is an entry like any other.
      gzipSync(Buffer.concat([tar(MANIFEST), tar(MANIFEST)])),
    ],
    says: /comes twice|needs a file and a folder of the same name/,
  },
  {
    what: 'names that differ only in case, or in how a letter is composed',
    archives: [
      tgz(MANIFEST, { name: 'package/Package.JSON', content: '{}' }),
      tgz(MANIFEST, { name: 'package/lib/a' }, { name: 'package/Lib/b' }),
      tgz(MANIFEST, { name: 'package/caf\u00e9' }, { name: 'package/cafe\u0301' }),
    ],
    says: /differs from '.+' only in case/,
  },
  {
    what: 'more than one top-level folder, or a file beside it',
    archives: [
      ...named('other/a', 'a', 'PACKAGE/a'),
      packed({ 'package.json': '{}' }, '.'),
      tgz({ name: './', type: '5' }),
    ],
    says: /lies outside; everything must lie in one top-level folder/,
  },
  {
    what: 'more than 5000 files and folders',
    archives: [tgz(...Array.from({ length: 5_001 }, (_, n) => ({ name: `package/${n}/`, type: '5' })))],
    says: /more than 5000 files and folders/,
    code: TOO_LARGE,
  },
  {
    what: 'folders nested deeper than 12',
    archives: [
      ...named(`package/${'d/'.repeat(13)}a`),
      ...['0', '5'].map((type) => tgz(MANIFEST, { name: `package/${'d/'.repeat(13)}`, type })),
    ],
    says: /nested deeper than 12/,
    code: TOO_LARGE,
  },
  {
    what: 'a file larger than `archives.maxFileSize`',
    archives: [
      tgz(MANIFEST, { name: 'package/a', size: 33 * MIB }),
      tgz(MANIFEST, paxHeader({ size: String(33 * MIB) }), { name: 'package/a', content: 'x' }),
      tgz(MANIFEST, paxHeader({ size: '99999999999999999999' }), { name: 'package/a', content: 'x' }),
    ],
    says: /has \d+ bytes; a file may have 32MiB/,
    code: TOO_LARGE,
  },
  {
    what: 'a file that does not say how large it is',
    archives: [tgz(MANIFEST, { name: 'package/a', size: Buffer.alloc(12, 0x90), content: 'x' })],
    says: /'package\/a' does not say how large it is/,
  },
  {
    what: 'more than `archives.maxSize`, however small it is packed',
    archives: [
      tgz(...Array.from({ length: 5 }, (_, n) => ({ name: `package/${n}`, content: Buffer.alloc(31 * MIB) }))),
    ],
    says: /holds more than 128MiB/,
    code: TOO_LARGE,
  },
  {
    what: 'a great deal that is no file',
    archives: [
      gzipSync(Buffer.concat([tar(MANIFEST), Buffer.alloc(MIB)])),
      tgz(paxHeader({ comment: 'c'.repeat(MIB) }), MANIFEST),
      tgz(longName('n'.repeat(MIB)), MANIFEST),
      tgz(...Array.from({ length: 1_000 }, () => paxHeader({ comment: 'c' })), MANIFEST),
    ],
    says: /holds more than 256KiB in a row that is no file/,
  },
  {
    what: 'something behind its end',
    archives: [
      Buffer.concat([packed({ 'package.json': '{}' }), Buffer.from('x')]),
      Buffer.concat([packed({ 'package.json': '{}' }), packed({ a: '' })]),
      gzipSync(Buffer.concat([tar(MANIFEST), Buffer.alloc(512, 'x')])),
    ],
    says: /something follows its end|what it holds is no tar/,
  },
];

/** A file of the wrong kind, or only a part of the right one. */
export const DAMAGED: readonly Attack[] = [
  { what: 'no gzip', archives: [Buffer.from('PK\x03\x04 a zip'), tar(MANIFEST)], says: /is no gzip file/ },
  {
    what: 'no tar',
    archives: [
      gzipSync(Buffer.from('{"name":"x"}'.repeat(100))),
      tgz({ ...MANIFEST, checksum: 1 }),
      tgz({ ...MANIFEST, magic: 'foo' }),
      tgz({ ...MANIFEST, size: 'zzzzzzzzzzz' }),
      tgz({ ...MANIFEST, size: '-0000000001' }),
    ],
    says: /what it holds is no tar/,
  },
  {
    what: 'cut off',
    archives: [
      Buffer.alloc(0),
      packed({ 'package.json': '{}' }).subarray(0, 40),
      gzipSync(tar(MANIFEST).subarray(0, 700)),
      gzipSync(tar(MANIFEST).subarray(0, 1_024)),
      gzipSync(Buffer.alloc(512)),
    ],
    says: /is cut off$/,
  },
  { what: 'damaged', archives: [spoilt(packed({ 'package.json': '{}' }))], says: /is damaged/ },
];

/** The last eight bytes are check sum and length. */
function spoilt(archive: Buffer): Buffer {
  return Buffer.concat([archive.subarray(0, -8), Buffer.alloc(8)]);
}
