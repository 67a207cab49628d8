/**
 * An archive on its way from the file to the disk, as a stream: neither the archive nor a file of it is ever in memory as a whole, and what is
 * too much ends it at that byte. Runs on the host thread, which it gives back between any two pieces.
 */

import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Header } from 'tar-stream';
import { codeOf, messageOf } from '../../ipc/errors.ts';
import { HostError } from '../base/errors.ts';
import { type ArchiveEntry, type ArchiveLimits, ArchivePolicy, type Refusal, refuse } from './archive-policy.ts';
import { FolderWriter } from './folder-writer.ts';
import { formatBytes } from './units.ts';

const PIECE_BYTES = 64 * 1024;
const BLOCK_BYTES = 512;
/** Two blocks of zeros close a tar. */
const END_BYTES = 2 * BLOCK_BYTES;
/** Headers of one entry, or zeros behind the last: the reader takes them in one go. */
const MAX_BETWEEN_BYTES = 256 * 1024;

export interface UnpackOptions {
  /** An empty folder. What is in it when this rejects is to be thrown away. */
  readonly into: string;
  readonly limits: ArchiveLimits;
  readonly signal: AbortSignal;
}

/**
 * Resolves with the SHA-256 of the archive when its content stands in `into` and on the disk. Rejects with a HostError
 * (HOST_ERR_BUNDLE_…) when the archive is refused, else with what the file system said.
 */
export async function unpackArchive(file: FileHandle, { into, limits, signal }: UnpackOptions): Promise<string> {
  const policy = new ArchivePolicy(limits);
  const writer = new FolderWriter(into);
  const hash = createHash('sha256');
  const place: Place = { entryEnd: 0, tail: Buffer.alloc(0) };
  let refused: HostError | null = null;
  let writing: Promise<void> = Promise.resolve();
  // Loaded for the first archive: it costs 5 MB, and most hosts never see one.
  const { extract } = await import('tar-stream');
  const tar = extract();
  // Both also say when nobody waits any more what they have said before: unheard it would be an uncaught error of the host.
  tar.on('error', () => undefined);
  tar.on('entry', (header, content, next) => {
    content.on('error', () => undefined);
    // A folder has no content, whatever its header says.
    const size = header.type === 'directory' ? 0 : header.size;
    place.entryEnd = content.offset + BLOCK_BYTES + BLOCK_BYTES * Math.ceil(size / BLOCK_BYTES);
    const admission = policy.admit(describe(header));
    if (admission.kind === 'refused') {
      // Counts, whatever the reader finds in the rest of the piece.
      refused = refusal(admission.refusal);
      next(refused);
      return;
    }
    writing = writer.write(admission, content as AsyncIterable<Buffer>);
    writing.then(() => next(), next);
  });
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES, rejectGarbageAfterEnd: true });
  const measure = (unpacked: AsyncIterable<Buffer>): AsyncIterable<Buffer> => measured(unpacked, limits, place);
  try {
    await pipeline(piecesOf(file, limits), (packed) => hashed(packed, hash), gunzip, measure, tar, { signal });
    await writing;
    if (place.tail.length < END_BYTES || place.tail.some((byte) => byte !== 0)) throw refusal(NO_END);
    await writer.finish();
  } catch (error) {
    // Of a write that failed the pipeline may know no more than that it is over.
    const written: unknown = await writing.then(
      () => null,
      (reason: unknown) => reason,
    );
    await writer.abandon();
    throw refused ?? faultOf(isOfDisk(written) ? written : error);
  }
  return hash.digest('hex');
}

/** Where in the tar the reading is. */
interface Place {
  /** Where the content of the last entry ends. */
  entryEnd: number;
  /** The last bytes so far. */
  tail: Buffer;
}

async function* measured(unpacked: AsyncIterable<Buffer>, limits: ArchiveLimits, place: Place): AsyncGenerator<Buffer> {
  let seen = 0;
  for await (const piece of unpacked) {
    seen += piece.length;
    if (seen > limits.maxBytes) throw refusal(tooLarge(limits));
    if (seen - place.entryEnd > MAX_BETWEEN_BYTES) throw refusal(TOO_MUCH_BETWEEN);
    place.tail = Buffer.concat([place.tail, piece]).subarray(-END_BYTES);
    yield piece;
  }
}

async function* hashed(packed: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const piece of packed) {
    hash.update(piece);
    yield piece;
  }
}

/** SHA-256 of a file that is not larger than an archive may be. */
export async function digestOf(file: FileHandle, { limits, signal }: Omit<UnpackOptions, 'into'>): Promise<string> {
  const hash = createHash('sha256');
  for await (const _ of hashed(piecesOf(file, limits), hash)) signal.throwIfAborted();
  return hash.digest('hex');
}

/** From its beginning. It is not closed, as a stream of Node's would do. */
async function* piecesOf(file: FileHandle, limits: ArchiveLimits): AsyncGenerator<Buffer> {
  for (let position = 0; position <= limits.maxBytes; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
  throw refusal(tooLarge(limits));
}

function tooLarge({ maxBytes }: ArchiveLimits): Refusal {
  const fix = 'leave out what the plugin does not need at run time, or raise settings.archives.maxSize';
  return refuse(`it holds more than ${formatBytes(maxBytes)}`, fix, 'HOST_ERR_BUNDLE_TOO_LARGE');
}

export function refusal({ code, message, fix }: Refusal): HostError {
  return new HostError(code, message, { kind: 'user', details: { fix } });
}

const COPY_AGAIN = "copy it again, and under another name first if that takes long ('_x.tgz' is left alone)";
const CUT_OFF = refuse('it is cut off', COPY_AGAIN);
const NO_END = refuse('its end is missing: it is cut off', COPY_AGAIN);
const TOO_MUCH_BETWEEN = refuse(`it holds more than ${formatBytes(MAX_BETWEEN_BYTES)} in a row that is no file`);

function describe({ name, type, size, mode, pax }: Header): ArchiveEntry {
  const isSparse = Object.keys(pax ?? {}).some((key) => key.startsWith('GNU.sparse'));
  return { name, type, size, mode, isSparse };
}

function isOfDisk(error: unknown): boolean {
  return typeof (error as { syscall?: unknown } | null)?.syscall === 'string';
}

/** What zlib and the reader of tar say is about the archive; all else stays as it is. */
function faultOf(error: unknown): unknown {
  const code = codeOf(error);
  const message = messageOf(error);
  if (code === 'Z_BUF_ERROR' || message === 'Unexpected end of data') return refusal(CUT_OFF);
  if (code === 'ERR_TRAILING_JUNK_AFTER_STREAM_END') return refusal(refuse('something follows its end'));
  if (message === 'incorrect header check') return refusal(refuse('it is no gzip file'));
  if (code.startsWith('Z_DATA')) return refusal(refuse(`it is damaged: ${message}`, COPY_AGAIN));
  return code === '' ? refusal(refuse(`what it holds is no tar: ${message}`)) : error;
}
