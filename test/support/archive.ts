/** Archives made byte by byte, so that a test can write what no tool would. */

import { gzipSync } from 'node:zlib';

export interface TarEntry {
  /** Bytes: for a name that is no UTF-8. */
  readonly name: string | Buffer;
  /** As in the header: `0` a file (default), `5` a folder, `2` a symbolic link … */
  readonly type?: string;
  readonly content?: string | Buffer;
  /** Default: that of the content. */
  readonly size?: number | string | Buffer;
  readonly mode?: number;
  readonly linkname?: string;
  /** Default: the right one. */
  readonly checksum?: number;
  /** Default: ustar. */
  readonly magic?: string;
}

const BLOCK = 512;

/** Header and content of one entry. */
export function tarEntry(entry: TarEntry): Buffer {
  const { name, type = '0', content = '', mode = 0o644, linkname = '', magic = 'ustar\x0000' } = entry;
  const body = Buffer.from(content as string);
  const size = entry.size ?? body.length;
  const header = Buffer.alloc(BLOCK);
  header.set(Buffer.from(name as string).subarray(0, 100));
  header.write(`${octal(mode, 7)}\0`, 100);
  header.write(`${octal(0, 7)}\0${octal(0, 7)}\0`, 108);
  const field = typeof size === 'number' ? `${octal(size, 11)}\0` : size;
  header.set(Buffer.from(field as string).subarray(0, 12), 124);
  header.write(`${octal(0, 11)}\0`, 136);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write(linkname, 157, 100);
  header.write(magic, 257);
  const sum = entry.checksum ?? header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  return Buffer.concat([header, padded(body)]);
}

/** Records of a pax header; `type` g: for all entries that follow. */
export function paxHeader(records: Readonly<Record<string, string>>, type = 'x'): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    let length = rest;
    while (length !== rest + String(length).length) length = rest + String(length).length;
    return `${length} ${key}=${value}\n`;
  });
  return tarEntry({ name: 'PaxHeader', type, content: lines.join('') });
}

/** GNU's way to a long name. */
export function longName(name: string): Buffer {
  return tarEntry({ name: '././@LongLink', type: 'L', content: `${name}\0`, magic: 'ustar  \0' });
}

/** With the two blocks of zeros that close it. */
export function tar(...parts: readonly (TarEntry | Buffer)[]): Buffer {
  const bytes = parts.map((part) => (Buffer.isBuffer(part) ? part : tarEntry(part)));
  return Buffer.concat([...bytes, Buffer.alloc(2 * BLOCK)]);
}

export function tgz(...parts: readonly (TarEntry | Buffer)[]): Buffer {
  return gzipSync(tar(...parts));
}

/** What `npm pack` makes of a folder with these files. */
export function packed(files: Readonly<Record<string, string | Buffer>>, top = 'package'): Buffer {
  return tgz(...Object.entries(files).map(([name, content]) => ({ name: `${top}/${name}`, content })));
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}
