/**
 * The unit of the events wire: a group of events as one NDJSON string, with an index of their types beside it. The host thread
 * moves frames and never parses a line; the index lets it settle types that nobody maps without decoding anything.
 */

import { CodedError, textOf } from './errors.ts';

export const FRAME_MAX_EVENTS = 256;
/** A frame is cut when its text reaches this many UTF-16 units; one event more may stand on top of it. */
export const FRAME_CUT_LENGTH = 256 * 1024;
export const FRAME_MAX_LENGTH = FRAME_CUT_LENGTH + 64 * 1024 + 1;
export const FRAME_MAX_TYPES = 64;
/** How long the oldest event waits for company while earlier frames are unacknowledged. */
export const FRAME_LINGER_MS = 5;

export interface Frame {
  readonly kind: 'frame';
  /** Which run of the plugin cut it; a frame of an old generation is discarded. */
  readonly generation: number;
  /** 0, 1, 2 … within the generation. */
  readonly sequence: number;
  readonly count: number;
  /** The distinct event types of this frame. */
  readonly types: readonly string[];
  /** One UTF-16 unit per event: its value is the position in `types`. (A string clones several times faster than an array.) */
  readonly typeIndex: string;
  /** `count` lines of JSON joined by \n, none of them carrying `type` or `source`. */
  readonly lines: string;
}

/** What is wrong with the shape of `value` as a frame, or null. Reads sizes only: the text is the matcher pool's business. */
export function frameFault(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return 'a frame must be an object';
  const frame = value as Frame;
  if (!isCount(frame.generation) || !isCount(frame.sequence)) return 'generation and sequence must be whole numbers';
  if (!isCount(frame.count) || frame.count < 1 || frame.count > FRAME_MAX_EVENTS) {
    return `count must be between 1 and ${FRAME_MAX_EVENTS}, got ${textOf(frame.count).slice(0, 20)}`;
  }
  if (typeof frame.lines !== 'string' || frame.lines.length > FRAME_MAX_LENGTH) {
    return `lines must be a string of at most ${FRAME_MAX_LENGTH} characters`;
  }
  if (!Array.isArray(frame.types) || frame.types.length < 1 || frame.types.length > FRAME_MAX_TYPES) {
    return `types must be a list of 1 to ${FRAME_MAX_TYPES}`;
  }
  for (const type of frame.types) {
    if (typeof type !== 'string' || type.length > 256) return 'each type must be a string of at most 256 characters';
  }
  if (typeof frame.typeIndex !== 'string' || frame.typeIndex.length !== frame.count) {
    return 'typeIndex must have one position per event';
  }
  for (let i = 0; i < frame.count; i += 1) {
    if (frame.typeIndex.charCodeAt(i) >= frame.types.length) return `typeIndex[${i}] is not a position in types`;
  }
  return null;
}

/** The type of event `index` of a frame. */
export function typeAt(frame: Pick<Frame, 'types' | 'typeIndex'>, index: number): string {
  return frame.types[frame.typeIndex.charCodeAt(index)] ?? '';
}

/** Gathers lines into one frame. Owned by the plugin thread; knows sizes, not time. */
export class FrameBuilder {
  #types: string[] = [];
  #typeIndex = '';
  #lines: string[] = [];
  #length = 0;

  get count(): number {
    return this.#lines.length;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** True when the frame must be cut before anything else is added. */
  get isFull(): boolean {
    return (
      this.#lines.length >= FRAME_MAX_EVENTS ||
      this.#length >= FRAME_CUT_LENGTH ||
      this.#types.length >= FRAME_MAX_TYPES
    );
  }

  add(type: string, line: string): void {
    if (this.isFull) throw new CodedError('IPC_ERR_PROTOCOL', 'a full frame was added to');
    let position = this.#types.indexOf(type);
    if (position === -1) position = this.#types.push(type) - 1;
    this.#typeIndex += String.fromCharCode(position);
    this.#lines.push(line);
    this.#length += line.length + 1;
  }

  /** Returns the frame and starts an empty one. */
  cut(generation: number, sequence: number): Frame {
    const frame: Frame = {
      kind: 'frame',
      generation,
      sequence,
      count: this.#lines.length,
      types: this.#types,
      typeIndex: this.#typeIndex,
      lines: this.#lines.join('\n'),
    };
    this.#types = [];
    this.#typeIndex = '';
    this.#lines = [];
    this.#length = 0;
    return frame;
  }
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
