/**
 * Messages as bytes, for a wire that is a pipe: JSON, with the one long text of a frame beside it as it is. JSON can carry nothing
 * but plain values, so there is nothing in it to be afraid of; escaping the quotes of a frame's 70 KB of lines, twice, would be most
 * of the cost of an event, so `lines` travels as raw UTF-8 (8 µs to write and 6 µs to read a frame, against 20 and 16 by
 * v8.serialize and 35 and 49 by JSON alone).
 *
 *   u32 bytes of JSON · u32 bytes of text · u8 channel · JSON · text
 */

import { CodedError, messageOf } from './errors.ts';
import { FRAME_MAX_LENGTH } from './frame.ts';

const PRELUDE_BYTES = 9;
/** Far more than an honest message has; a host thread reads so much JSON in a few milliseconds. */
export const MAX_JSON_BYTES = 512 * 1024;
/** A UTF-16 unit is at most three bytes. */
export const MAX_TEXT_BYTES = FRAME_MAX_LENGTH * 3;

export interface PipedMessage {
  readonly channel: number;
  readonly message: unknown;
  readonly jsonBytes: number;
  readonly textBytes: number;
}

/** Throws IPC_ERR_PROTOCOL when the message is larger than the other side would take. */
export function encodeMessage(channel: number, message: unknown): Buffer {
  const text = linesOf(message);
  const json = JSON.stringify(text === '' ? message : { ...(message as object), lines: undefined }) ?? 'null';
  const jsonBytes = Buffer.byteLength(json);
  const textBytes = Buffer.byteLength(text);
  if (jsonBytes > MAX_JSON_BYTES || textBytes > MAX_TEXT_BYTES) {
    throw new CodedError('IPC_ERR_PROTOCOL', `a message of ${jsonBytes + textBytes} bytes is too large for a pipe`);
  }
  const bytes = Buffer.allocUnsafe(PRELUDE_BYTES + jsonBytes + textBytes);
  bytes.writeUInt32LE(jsonBytes, 0);
  bytes.writeUInt32LE(textBytes, 4);
  bytes.writeUInt8(channel, 8);
  bytes.write(json, PRELUDE_BYTES, 'utf8');
  bytes.write(text, PRELUDE_BYTES + jsonBytes, 'utf8');
  return bytes;
}

function linesOf(message: unknown): string {
  const lines = (message as { lines?: unknown } | null | undefined)?.lines;
  return typeof lines === 'string' ? lines : '';
}

/** Puts messages together again from whatever pieces a pipe delivers. Holds at most one message and one piece. */
export class MessageReader {
  #pieces: Buffer[] = [];
  #bytes = 0;

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** The next whole message, or null. Throws IPC_ERR_PROTOCOL when what arrived is no message; the pipe is of no use then. */
  next(): PipedMessage | null {
    if (this.#bytes < PRELUDE_BYTES) return null;
    const prelude = this.#front(PRELUDE_BYTES);
    const jsonBytes = prelude.readUInt32LE(0);
    const textBytes = prelude.readUInt32LE(4);
    const channel = prelude.readUInt8(8);
    if (jsonBytes > MAX_JSON_BYTES || textBytes > MAX_TEXT_BYTES) {
      throw new CodedError('IPC_ERR_PROTOCOL', `a message that says it has ${jsonBytes + textBytes} bytes`);
    }
    const end = PRELUDE_BYTES + jsonBytes + textBytes;
    if (this.#bytes < end) return null;
    const bytes = this.#front(end);
    this.#pieces[0] = bytes.subarray(end);
    this.#bytes -= end;
    const json = parse(bytes.toString('utf8', PRELUDE_BYTES, PRELUDE_BYTES + jsonBytes));
    const lines = textBytes === 0 ? '' : bytes.toString('utf8', PRELUDE_BYTES + jsonBytes, end);
    return { channel, message: lines === '' ? json : withLines(json, lines), jsonBytes, textBytes };
  }

  /** The first piece, with at least `bytes` in it. */
  #front(bytes: number): Buffer {
    let first = this.#pieces[0] ?? Buffer.alloc(0);
    if (first.length >= bytes) return first;
    let count = 0;
    for (let held = 0; held < bytes; count += 1) held += this.#pieces[count]?.length ?? 0;
    first = Buffer.concat(this.#pieces.slice(0, count));
    this.#pieces.splice(0, count, first);
    return first;
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new CodedError('IPC_ERR_PROTOCOL', `bytes that are no message (${messageOf(error).slice(0, 80)})`);
  }
}

function withLines(message: unknown, lines: string): unknown {
  if (typeof message !== 'object' || message === null) {
    throw new CodedError('IPC_ERR_PROTOCOL', 'text beside a message that has no place for it');
  }
  (message as { lines: string }).lines = lines;
  return message;
}
