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

// Taken before a plugin, or a library in it, replaces them.
const { parse: parseJson, stringify } = JSON;
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
  const json = stringify(text === '' ? message : { ...(message as object), lines: undefined }) ?? 'null';
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

/** What is held for pieces to come, at first and when there is nothing to hold. */
const FIRST_CAPACITY = 128 * 1024;

/** Puts messages together again from whatever pieces a pipe delivers. Holds at most one message and one piece, in a buffer of its own. */
export class MessageReader {
  /** Reused: a new one for each frame would cost more than all else that is done with it. */
  #bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #start = 0;
  #end = 0;

  push(piece: Buffer): void {
    this.#makeRoom(piece.length);
    this.#end += piece.copy(this.#bytes, this.#end);
  }

  /** The next whole message, or null. Throws IPC_ERR_PROTOCOL when what arrived is no message; the pipe is of no use then. */
  next(): PipedMessage | null {
    const bytes = this.#bytes;
    const held = this.#end - this.#start;
    if (held < PRELUDE_BYTES) return null;
    const jsonBytes = bytes.readUInt32LE(this.#start);
    const textBytes = bytes.readUInt32LE(this.#start + 4);
    const channel = bytes.readUInt8(this.#start + 8);
    if (jsonBytes > MAX_JSON_BYTES || textBytes > MAX_TEXT_BYTES) {
      throw new CodedError('IPC_ERR_PROTOCOL', `a message that says it has ${jsonBytes + textBytes} bytes`);
    }
    if (held < PRELUDE_BYTES + jsonBytes + textBytes) return null;
    const textStart = this.#start + PRELUDE_BYTES + jsonBytes;
    const json = parse(bytes.toString('utf8', textStart - jsonBytes, textStart));
    const lines = textBytes === 0 ? '' : bytes.toString('utf8', textStart, textStart + textBytes);
    this.#start = textStart + textBytes;
    if (this.#start === this.#end) this.#empty();
    return { channel, message: lines === '' ? json : withLines(json, lines), jsonBytes, textBytes };
  }

  #makeRoom(length: number): void {
    const held = this.#end - this.#start;
    if (this.#end + length <= this.#bytes.length) return;
    const isRoomy = held + length <= this.#bytes.length;
    const roomy = isRoomy ? this.#bytes : Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(held + length)));
    this.#bytes.copy(roomy, 0, this.#start, this.#end);
    this.#bytes = roomy;
    this.#start = 0;
    this.#end = held;
  }

  #empty(): void {
    this.#start = 0;
    this.#end = 0;
    // What one large message needed is not kept for ever.
    if (this.#bytes.length > 4 * FIRST_CAPACITY) this.#bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  }
}

function parse(json: string): unknown {
  try {
    return parseJson(json);
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
