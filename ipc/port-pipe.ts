/**
 * `Port`s over one pipe: length-prefixed messages, several channels. Used on both sides of the process boundary. Bounded both ways: a
 * message has a greatest size, what waits to be written has one too, and what is read in one turn of the loop takes a few
 * milliseconds, whatever the other side sends.
 */

import type { Duplex } from 'node:stream';
import type { Clock } from './clock.ts';
import { messageOf } from './errors.ts';
import { encodeMessage, MessageReader, type PipedMessage } from './pipe-message.ts';
import type { Port } from './port.ts';
import type { Slice } from './port-bounded.ts';

export interface PipeOptions {
  readonly clock: Clock;
  /** Channels are numbered from 0. */
  readonly channels: number;
  /** More than this waiting to be written means that the other side does not read. */
  readonly maxQueueBytes: number;
  /** The other side broke the protocol: `sent …` or `left … unread`. Called once; the pipe is closed then. */
  readonly onFault: (fault: string) => void;
  readonly onSlice?: (slice: Slice) => void;
  /** Asked after each slice: for how long nothing is to be read. */
  readonly restMs?: () => number;
}

/** What is taken in one turn of the loop; the rest waits for the next one, and the others have their turn in between. */
const SLICE_MESSAGES = 128;
const SLICE_MS = 5;
/** Messages kept for a channel that nobody receives from yet. */
const MAX_KEPT = 256;

interface Channel {
  receiver: ((message: unknown) => void) | null;
  kept: unknown[];
  isClosed: boolean;
}

export class Pipe {
  readonly #stream: Duplex;
  readonly #options: PipeOptions;
  readonly #channels: readonly Channel[];
  readonly #reader = new MessageReader();
  #closing: (() => void)[] = [];
  #isClosed = false;
  #isBroken = false;
  /** The slice of this turn has been taken. */
  #isResting = false;

  constructor(stream: Duplex, options: PipeOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#channels = Array.from({ length: options.channels }, () => ({ receiver: null, kept: [], isClosed: false }));
    stream.on('data', (piece: Buffer) => {
      this.#reader.push(piece);
      if (!this.#isResting) this.#read();
    });
    // What is wrong with a pipe shows in its end; a write to nobody is lost with nobody.
    stream.on('error', () => undefined);
    stream.once('end', () => {
      this.#readAll();
      this.#end();
    });
    stream.once('close', () => this.#end());
  }

  /** Bytes that the other side has not taken yet. */
  get queuedBytes(): number {
    return this.#stream.writableLength;
  }

  /** Runs once, when the other side has gone. */
  onClose(listener: () => void): void {
    if (this.#isClosed) queueMicrotask(listener);
    else this.#closing.push(listener);
  }

  close(): void {
    this.#stream.destroy();
  }

  /** The port of one channel. Closing it closes no other channel and not the pipe. */
  port<Out, In>(number: number): Port<Out, In> {
    const channel = this.#channels[number];
    if (channel === undefined) throw new RangeError(`a pipe has no channel ${number}`);
    return {
      post: (message) => {
        if (!channel.isClosed) this.#write(encodeMessage(number, message));
      },
      receive(receiver) {
        channel.receiver = receiver as (message: unknown) => void;
        for (const message of channel.kept.splice(0)) channel.receiver(message);
      },
      onClose: (listener) => this.onClose(listener),
      close() {
        channel.isClosed = true;
        channel.kept = [];
      },
    };
  }

  #write(bytes: Buffer): void {
    if (this.#isClosed || this.#isBroken || !this.#stream.writable) return;
    this.#stream.write(bytes);
    const { maxQueueBytes } = this.#options;
    if (this.#stream.writableLength > maxQueueBytes) {
      this.#fault(`left more than ${maxQueueBytes} bytes of it unread`);
    }
  }

  #read(): void {
    const { clock, onSlice, restMs = () => 0 } = this.#options;
    const startedAt = clock.now();
    const cpu = clock.cpu();
    let messages = 0;
    let isFull = false;
    let next = this.#next();
    while (next !== null) {
      messages += 1;
      this.#deliver(next);
      isFull = messages >= SLICE_MESSAGES || clock.now() - startedAt >= SLICE_MS;
      next = isFull ? null : this.#next();
    }
    if (messages > 0) onSlice?.({ messages, ms: clock.cpu() - cpu });
    const rest = messages === 0 ? 0 : restMs();
    if (isFull || rest > 0) this.#rest(rest);
  }

  /**
   * The last words: a child's pipes are read to their end as it exits, also one that rests. What a pipe of the system still held is
   * little.
   */
  #readAll(): void {
    for (let next = this.#next(); next !== null; next = this.#next()) this.#deliver(next);
  }

  /** Until the next turn of the loop at least. */
  #rest(ms: number): void {
    this.#isResting = true;
    this.#stream.pause();
    const goOn = (): void => {
      this.#isResting = false;
      this.#stream.resume();
      this.#read();
    };
    if (ms === 0) setImmediate(goOn);
    else this.#options.clock.after(ms, goOn);
  }

  #next(): PipedMessage | null {
    if (this.#isBroken) return null;
    try {
      return this.#reader.next();
    } catch (error) {
      this.#fault(`sent ${messageOf(error)}`);
      return null;
    }
  }

  #deliver({ channel: number, message }: PipedMessage): void {
    const channel = this.#channels[number];
    if (channel === undefined) this.#fault(`sent a message for channel ${number}, which does not exist`);
    else if (channel.isClosed) return;
    else if (channel.receiver !== null) channel.receiver(message);
    else if (channel.kept.push(message) > MAX_KEPT) this.#fault('sent messages before it was spoken to');
  }

  #fault(fault: string): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#options.onFault(fault);
    this.#stream.destroy();
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const listener of this.#closing.splice(0)) listener();
  }
}
